import { holdToGolden } from '../common/testing/golden-events.js';
import golden from './orders.events.golden.json' with { type: 'json' };
import * as events from './orders.events.js';

holdToGolden(events, golden);
