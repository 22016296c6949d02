import { Module } from '@nestjs/common';
import { AuditModule } from '../audit/audit.module.js';
import { AsyncApiController } from './async-api.controller.js';
import { DeliveriesController } from './deliveries.controller.js';
import { EventsController } from './events.controller.js';
import { ParkedPartitions } from './parked-partitions.js';
import { Pauses } from './pauses.js';
import { ReplayController } from './replay.controller.js';
import { ReplayService } from './replay.js';
import { DeliverySkipping } from './skipping.js';
import { SubscriptionsController } from './subscriptions.controller.js';

/** What operators read and do: events, deliveries, subscribers. */
@Module({
  imports: [AuditModule],
  controllers: [EventsController, DeliveriesController, ReplayController, SubscriptionsController, AsyncApiController],
  providers: [ParkedPartitions, Pauses, ReplayService, DeliverySkipping],
})
export class OperatorApiModule {}
