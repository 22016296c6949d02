import { holdToGolden } from '../common/testing/golden-events.js';
import golden from './inventory.events.golden.json' with { type: 'json' };
import * as events from './inventory.events.js';

holdToGolden(events, golden);
