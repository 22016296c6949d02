import { html } from './html.js';

/**
 * Styles for narrow screens and dark mode, which inline styles cannot express. Clients that ignore them show a light
 * mail that fits. Clients that invert colours themselves (Outlook) get text and background colours that stay readable.
 * Outlook.com sets `[data-ogsc]` and `[data-ogsb]` on the elements that it inverts.
 */
export const styles = html`<style>
:root{color-scheme:light dark;supported-color-schemes:light dark}
body{-webkit-text-size-adjust:100%;-ms-text-size-adjust:100%}
@media (max-width:620px){
.outer{padding:16px 8px!important}
.card{padding:24px 20px 4px!important}
h1{font-size:23px!important;line-height:30px!important}
}
@media (prefers-color-scheme:dark){
.page{background-color:#14161b!important}
.card{background-color:#1e2128!important;border-color:#343944!important}
.panel{background-color:#272b34!important}
.shop,.ink,h1{color:#eceef2!important}
.quiet{color:#a9b0bd!important}
.line{border-color:#3a404c!important}
.badge-good{background-color:#17402a!important;color:#b5ecca!important}
.badge-bad{background-color:#511d1d!important;color:#ffd0ca!important}
.badge-watch{background-color:#4a3606!important;color:#ffe3a0!important}
}
[data-ogsc] .shop,[data-ogsc] .ink,[data-ogsc] h1{color:#eceef2!important}
[data-ogsc] .quiet{color:#a9b0bd!important}
[data-ogsb] .page{background-color:#14161b!important}
[data-ogsb] .card{background-color:#1e2128!important}
[data-ogsb] .panel{background-color:#272b34!important}
</style>`;
