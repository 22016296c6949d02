import { html } from './html.js';

/** The styles of the mailbox pages. */
export const styles = html`<style>
:root{color-scheme:light dark;
--page:#f3f4f6;--card:#fff;--line:#e1e4ea;--ink:#171a21;--quiet:#5c6270;--accent:#1d4ed8;--note:#e8eefc;--warn:#fdf0cf}
@media (prefers-color-scheme:dark){:root{
--page:#14161b;--card:#1e2128;--line:#343944;--ink:#eceef2;--quiet:#a9b0bd;--accent:#8ab4ff;
--note:#1d2a45;--warn:#4a3606}}
*{box-sizing:border-box}
body{margin:0;background:var(--page);color:var(--ink);font:16px/1.5 system-ui,'Segoe UI',Helvetica,Arial,sans-serif}
main{max-width:880px;margin:0 auto;padding:32px 16px 48px}
header{display:flex;flex-wrap:wrap;align-items:center;justify-content:space-between;gap:12px;margin:8px 0 16px}
h1{margin:0;font-size:1.6rem;line-height:1.25;overflow-wrap:anywhere}
a{color:var(--accent)}
a:focus-visible,pre:focus-visible{outline:3px solid var(--accent);outline-offset:2px;border-radius:6px}
code{font-size:.9em}
.button{display:inline-block;padding:8px 16px;border:1px solid var(--line);border-radius:8px}
.button{background:var(--card);text-decoration:none}
.note{margin:0 0 16px;padding:10px 14px;border-radius:8px;background:var(--note)}
.note.warn{background:var(--warn)}
.mails{list-style:none;margin:0 0 16px;padding:0;overflow:hidden}
.mails{border:1px solid var(--line);border-radius:12px;background:var(--card)}
.mails li+li{border-top:1px solid var(--line)}
.mails a{display:grid;grid-template-columns:1fr auto;gap:2px 16px;padding:14px 16px;color:inherit;text-decoration:none}
.mails a:hover{background:var(--page)}
.mails a:focus-visible{outline-offset:-3px}
.mails strong{grid-column:1;overflow-wrap:anywhere}
.mails span{grid-column:1;color:var(--quiet);overflow-wrap:anywhere}
.mails time{grid-area:1/2;color:var(--quiet);font-size:.875rem;white-space:nowrap}
.empty{padding:48px 16px;border:1px dashed var(--line);border-radius:12px;text-align:center}
.envelope{display:grid;grid-template-columns:auto 1fr;gap:4px 16px;margin:0 0 20px}
.envelope dt{color:var(--quiet)}
.envelope dd{margin:0;overflow-wrap:anywhere}
.tabs{display:flex;gap:4px;border-bottom:1px solid var(--line)}
.tabs a{padding:10px 14px;text-decoration:none;color:var(--quiet);border-bottom:3px solid transparent}
.tabs a[aria-current]{color:var(--ink);font-weight:600;border-color:var(--accent)}
iframe,pre{width:100%;margin:16px 0 0;border:1px solid var(--line);border-radius:12px;background:var(--card)}
iframe{display:block;height:max(860px,calc(100vh - 320px))}
pre{padding:16px;overflow:auto;white-space:pre-wrap;overflow-wrap:anywhere}
pre{font:14px/1.5 ui-monospace,'Cascadia Mono',Menlo,Consolas,monospace}
@media (max-width:560px){main{padding-top:16px}.mails a{grid-template-columns:1fr}.mails time{grid-area:auto}}
</style>`;
