import { testSchemas } from '../backbone/testing/committed-schemas.js';
import { testGoldenEvents } from '../backbone/testing/golden-events.js';
import golden from './inventory.events.golden.json' with { type: 'json' };
import * as events from './inventory.events.js';
import schemas from './inventory.events.schema.json' with { type: 'json' };

testGoldenEvents(events, golden);
testSchemas(events, schemas);
