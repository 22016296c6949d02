import { Global, Module } from '@nestjs/common';
import { DeliveryReader } from '../events/delivery-reader.js';
import { EventReader } from '../events/event-reader.js';
import { BackboneChecks } from '../reconciliation/backbone-checks.js';
import { Checks } from '../reconciliation/checks.js';
import { Reconciler } from '../reconciliation/reconciler.js';
import { ReconciliationController } from '../reconciliation/reconciliation.controller.js';
import { Repair } from '../reconciliation/repair.js';
import { Reports } from '../reconciliation/reports.js';
import { ReconciliationSchedule } from '../reconciliation/schedule.js';
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
    ReconciliationController,
  ],
  providers: [
    EventReader,
    DeliveryReader,
    Timeline,
    Audit,
    Lines,
    Pauses,
    Replay,
    Skipping,
    Checks,
    BackboneChecks,
    Reports,
    Reconciler,
    ReconciliationSchedule,
    Repair,
  ],
  exports: [Timeline, EventReader, Checks],
})
export class OperationsModule {}
