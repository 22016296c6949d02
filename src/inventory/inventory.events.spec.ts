import { holdToSchemas } from '../common/testing/committed-schemas.js';
import { holdToGolden } from '../common/testing/golden-events.js';
import golden from './inventory.events.golden.json' with { type: 'json' };
import * as events from './inventory.events.js';
import schemas from './inventory.events.schema.json' with { type: 'json' };

holdToGolden(events, golden);
holdToSchemas(events, schemas);
