import { Global, Module } from '@nestjs/common';
import { DeliveryReader } from '../events/delivery-reader.js';
import { EventReader } from '../events/event-reader.js';
import { AsyncApiController } from './async-api.controller.js';
import { AuditController } from './audit.controller.js';
import { Audit } from './audit.js';
import { DeliveriesController } from './deliveries.controller.js';
import { EventsController } from './events.controller.js';
import { Lines } from './lines.js';
import { Pauses } from './pauses.js';
import { ReplayController } from './replay.controller.js';
import { Replay } from './replay.js';
import { Skipping } from './skipping.js';
import { SubscriptionsController } from './subscriptions.controller.js';
import { Timeline } from './timeline.js';

/** What an operator sees and does: the event log, the deliveries, the story of any one thing. */
@Global()
@Module({
  controllers: [
    EventsController,
    DeliveriesController,
    ReplayController,
    SubscriptionsController,
    AuditController,
    AsyncApiController,
  ],
  providers: [EventReader, DeliveryReader, Timeline, Audit, Lines, Pauses, Replay, Skipping],
  exports: [Timeline],
})
export class OperationsModule {}
