import { Module } from '@nestjs/common';
import { AuditModule } from '../audit/audit.module.js';
import { AsyncApiController } from './async-api.controller.js';
import { DeliveriesController } from './deliveries.controller.js';
import { EventsController } from './events.controller.js';
import { ParkedPartitions } from './parked-partitions.js';
import { Pauses } from './pauses.js';
import { ReplayService } from './replay.js';
import { DeliverySkipping } from './skipping.js';
import { SubscriptionsController } from './subscriptions.controller.js';

/** The operator API: reads events, deliveries and subscribers; replays, skips, releases, pauses. */
@Module({
  imports: [AuditModule],
  controllers: [EventsController, DeliveriesController, SubscriptionsController, AsyncApiController],
  providers: [ParkedPartitions, Pauses, ReplayService, DeliverySkipping],
})
export class OperatorApiModule {}
