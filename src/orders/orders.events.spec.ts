import { testSchemas } from '../backbone/testing/committed-schemas.js';
import { testGoldenEvents } from '../backbone/testing/golden-events.js';
import golden from './orders.events.golden.json' with { type: 'json' };
import * as events from './orders.events.js';
import schemas from './orders.events.schema.json' with { type: 'json' };

testGoldenEvents(events, golden);
testSchemas(events, schemas);
