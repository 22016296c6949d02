import { BusinessModule } from '../../../src/backbone/business-module.js';
import { CreateReadings1770000001000 } from './migrations/1770000001000-create-readings.js';
import { Reading } from './reading.entity.js';
import { ReadingsController } from './readings.controller.js';
import * as events from './readings.events.js';
import { ReadingsService } from './readings.service.js';

/** Stores what sensors measure. */
@BusinessModule({
  name: 'readings',
  events,
  controllers: [ReadingsController],
  providers: [ReadingsService],
  entities: [Reading],
  migrations: [CreateReadings1770000001000],
})
export class ReadingsModule {}
