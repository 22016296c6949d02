import { Global, Module } from '@nestjs/common';
import { DeliveryReader } from '../events/delivery-reader.js';
import { EventReader } from '../events/event-reader.js';
import { DeliveriesController } from './deliveries.controller.js';
import { EventsController } from './events.controller.js';
import { Timeline } from './timeline.js';

/** What an operator sees: the event log, the deliveries, and the story of any one thing. */
@Global()
@Module({
  controllers: [EventsController, DeliveriesController],
  providers: [EventReader, DeliveryReader, Timeline],
  exports: [Timeline],
})
export class OperationsModule {}
