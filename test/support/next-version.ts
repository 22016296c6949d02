import { buildWith, type Edit } from './builds.js';

const REACTIONS = 'notifications/notifications.reactions.js';
const CLASS = 'NotificationsReactions';

/** A handler of new subscribers that stores the id of each event in a table, which the journey creates. */
const NOTE = `async (event, tx) => { await tx.manager.query('INSERT INTO notifications.note VALUES ($1)', [event.id]); }`;

const EDITS: readonly Edit[] = [
  // A subscriber whose method is renamed.
  { file: REACTIONS, replace: 'async emailConfirmation(', by: 'async confirmByMail(' },
  { file: REACTIONS, replace: `${CLASS}.prototype, "emailConfirmation"`, by: `${CLASS}.prototype, "confirmByMail"` },
  {
    file: REACTIONS,
    replace: 'SideEffect(OrderConfirmed, MAIL_OPTIONS)',
    by: `SideEffect(OrderConfirmed, { ...MAIL_OPTIONS, name: 'notifications.emailConfirmation' })`,
  },
  // A new optional field of an event.
  {
    file: 'orders/orders.events.js',
    replace: 'data: z.object({ orderId, lines: z.array(z.object({ sku: z.string(), quantity: z.int() })) })',
    by: `data: z.object({
      orderId, lines: z.array(z.object({ sku: z.string(), quantity: z.int() })), channel: z.string().optional() })`,
  },
  {
    file: 'orders/orders.service.js',
    replace: 'OrderPlaced({ orderId: order.id,',
    by: `OrderPlaced({ channel: 'web', orderId: order.id,`,
  },
  // The next version of an event, published together with the previous one.
  {
    file: 'inventory/inventory.events.js',
    replace: 'export const StockShort =',
    by: `export const StockReservedV2 = defineEvent({ ...StockReserved, type: 'inventory.stock-reserved.v2' });
export const StockShort =`,
  },
  {
    file: 'inventory/reservations.js',
    replace: 'tx.publish(StockReserved({ orderId }));',
    by: '{ tx.publish(StockReserved({ orderId })); tx.publish(StockReservedV2({ orderId })); }',
  },
  {
    file: 'inventory/reservations.js',
    replace: 'let Reservations =',
    by: `import { StockReservedV2 } from './inventory.events.js';\nlet Reservations =`,
  },
  // A new subscriber of an existing event, and one of a new event.
  {
    file: REACTIONS,
    replace: `${CLASS} = __decorate([`,
    by: `import { ReactsTo } from '../backbone/decorators.js';
import { StockReservedV2 } from '../inventory/inventory.events.js';
import { OrderPlaced } from '../orders/orders.events.js';
${CLASS}.prototype.noteOrder = ${NOTE};
${CLASS}.prototype.noteReservation = ${NOTE};
ReactsTo(OrderPlaced, { later: true })(${CLASS}.prototype, 'noteOrder');
ReactsTo(StockReservedV2, { later: true })(${CLASS}.prototype, 'noteReservation');
${CLASS} = __decorate([`,
  },
];

/** Builds a next version of the program with allowed changes. Returns its main file. */
export function nextVersion(): Promise<string> {
  return buildWith('next-version', EDITS);
}
