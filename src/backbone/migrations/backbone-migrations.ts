import { CreateIdempotencyKeys1764000000100 } from '../../common/idempotency/migrations/1764000000100-create-idempotency-keys.js';
import { CreateBackbone1764000000000 } from './1764000000000-create-backbone.js';
import { CreateOperations1764000000200 } from './1764000000200-create-operations.js';
import { CreatePrunedDeliveries1764000000300 } from './1764000000300-create-pruned-deliveries.js';
import { CreateSubscriberTypes1764000000600 } from './1764000000600-create-subscriber-types.js';

export const BACKBONE_MIGRATIONS = [
  CreateBackbone1764000000000,
  CreateIdempotencyKeys1764000000100,
  CreateOperations1764000000200,
  CreatePrunedDeliveries1764000000300,
  CreateSubscriberTypes1764000000600,
];
