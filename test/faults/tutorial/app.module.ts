// The habit: everything is wired in a module, with the queue and the emitter registered beside each other.
import { BullModule } from '@nestjs/bullmq';
import { Module } from '@nestjs/common';
import { EventEmitterModule } from '@nestjs/event-emitter';
import { DatabaseModule } from './database.module.js';
import { environment } from './environment.js';
import { HealthController } from './health.controller.js';
import { MailProcessor } from './mail.processor.js';
import { OrderListener } from './order.listener.js';
import { OrdersController } from './orders.controller.js';
import { OrdersService } from './orders.service.js';
import { ProductsController } from './products.controller.js';
import { ProductsService } from './products.service.js';

@Module({
  imports: [
    DatabaseModule,
    EventEmitterModule.forRoot(),
    BullModule.forRoot({ connection: { url: environment.REDIS_URL }, prefix: environment.QUEUE_PREFIX }),
    BullModule.registerQueue({ name: 'mail' }),
  ],
  controllers: [OrdersController, ProductsController, HealthController],
  providers: [OrdersService, ProductsService, OrderListener, ...(environment.WORKERS === 'on' ? [MailProcessor] : [])],
})
export class AppModule {}
