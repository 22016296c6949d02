import { holdToSchemas } from '../common/testing/committed-schemas.js';
import { holdToGolden } from '../common/testing/golden-events.js';
import golden from './orders.events.golden.json' with { type: 'json' };
import * as events from './orders.events.js';
import schemas from './orders.events.schema.json' with { type: 'json' };

holdToGolden(events, golden);
holdToSchemas(events, schemas);
