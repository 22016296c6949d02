import { CreateReconciliation1764000000400 } from './1764000000400-create-reconciliation.js';
import { KeepWhyACheckFailed1764000000500 } from './1764000000500-keep-why-a-check-failed.js';
import { KeepWhatIsSettled1764000000700 } from './1764000000700-keep-what-is-settled.js';

export const RECONCILIATION_MIGRATIONS = [
  CreateReconciliation1764000000400,
  KeepWhyACheckFailed1764000000500,
  KeepWhatIsSettled1764000000700,
];
