/**
 * The look of every page, in one style sheet, and the icon: light and dark as the visitor's system is, from 320 pixels
 * wide on. Colours and distances are the custom properties at its head; the plots read theirs from there too
 * (`browser/history-plots.js`). Every pair of text and ground has a contrast of 4.5 to 1 at least (WCAG 2.2, 1.4.3).
 * It is a text in a module and not a file of its own so that tsc carries it into the build.
 */
import { ADMIN_STYLE } from './admin-style.ts';
import { STATS_STYLE } from './stats-style.ts';

const DARK = `
  --paper:#0d1117; --card:#161c24; --sunk:#1e2630; --line:#2b3541; --ink:#e9edf2; --soft:#9ba8b7;
  --accent:#7cb4ff; --on-accent:#0b1522; --good:#4fd1a5; --warn:#ffc46b; --warn-paper:#33270f; --bad:#ff8f85;
  --seeders:#3ecf9f; --leechers:#8f9bff; --first:#5aa9ff; --second:#f2a65a; --third:#d78bff; --grid:#242d38;
  --shadow:0 1px 2px rgb(0 0 0/.4);
`;

export const STYLE_SHEET = `
:root{
  color-scheme:light dark;
  --paper:#f4f6f9; --card:#fff; --sunk:#edf1f5; --line:#dbe2e9; --ink:#141a21; --soft:#566271;
  --accent:#0b5fc4; --on-accent:#fff; --good:#0a7a57; --warn:#7d4600; --warn-paper:#fff4e0; --bad:#b3261e;
  --seeders:#0d9b70; --leechers:#5a63e0; --first:#1769d6; --second:#c26a05; --third:#9a3fd0; --grid:#e9edf2;
  --shadow:0 1px 2px rgb(20 30 45/.06),0 4px 16px rgb(20 30 45/.04);
}
@media (prefers-color-scheme:dark){:root{${DARK}}}
*{box-sizing:border-box}
[hidden]{display:none!important}
body{margin:0;background:var(--paper);color:var(--ink);font:1rem/1.55 system-ui,-apple-system,"Segoe UI",Roboto,"Noto Sans","Liberation Sans",sans-serif}
header,main,footer{max-width:52rem;margin:0 auto;padding:0 1rem}
.wide header,.wide main,.wide footer{max-width:120rem;padding:0 clamp(1rem,2.5vw,2.5rem)}
header{display:flex;flex-wrap:wrap;gap:.5rem 1.75rem;align-items:center;padding-top:1rem!important;padding-bottom:.85rem!important}
.brand{display:inline-flex;align-items:center;gap:.6rem;font-size:1.2rem;font-weight:700;letter-spacing:-.01em;color:var(--ink);text-decoration:none}
nav{display:flex;flex-wrap:wrap;gap:.15rem .35rem}
nav a{padding:.3rem .65rem;border-radius:.5rem;color:var(--soft);text-decoration:none;font-size:.95rem}
nav a:hover{color:var(--ink);background:var(--sunk)}
nav a[aria-current]{color:var(--ink);background:var(--sunk);font-weight:600}
main{padding-top:.5rem!important;padding-bottom:2rem!important}
footer{padding-top:1rem!important;padding-bottom:2rem!important;border-top:1px solid var(--line);color:var(--soft);font-size:.9rem}
.skip{position:absolute;left:-999rem}
.skip:focus{left:1rem;top:.5rem;padding:.5rem 1rem;background:var(--card);z-index:9}
.for-readers{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%);white-space:nowrap}
a{color:var(--accent)}
:focus-visible{outline:3px solid var(--accent);outline-offset:2px;border-radius:.3rem}
h1{font-size:clamp(1.5rem,4vw,1.9rem);line-height:1.2;letter-spacing:-.02em;margin:1.25rem 0 .75rem}
h2{font-size:1.15rem;letter-spacing:-.01em;margin:2rem 0 .5rem}
code{font:.95em ui-monospace,"Cascadia Code",Menlo,"DejaVu Sans Mono",monospace;overflow-wrap:anywhere}
table{width:100%;border-collapse:collapse}
th,td{padding:.4rem .25rem;border-bottom:1px solid var(--line);text-align:left;vertical-align:top;font-weight:400}
td{text-align:right;font-variant-numeric:tabular-nums}
tr:last-child>*{border-bottom:0}
.warning{margin:1rem 0;padding:.7rem 1rem;color:var(--warn);background:var(--warn-paper);border:1px solid currentcolor;border-radius:.6rem}
.note{color:var(--soft);font-size:.92rem}

button,input,textarea,select{font:inherit;color:inherit}
button,.button{padding:.5rem 1rem;border:1px solid var(--line);border-radius:.6rem;background:var(--card);color:var(--ink);cursor:pointer}
button:hover,.button:hover{border-color:var(--accent)}
button.main{background:var(--accent);color:var(--on-accent);border-color:var(--accent);font-weight:600}
input,textarea,select{width:100%;padding:.55rem .75rem;border:1px solid var(--soft);border-radius:.6rem;background:var(--card)}
label{display:block;font-weight:600;margin:.75rem 0 .3rem}

.card{background:var(--card);border:1px solid var(--line);border-radius:.9rem;box-shadow:var(--shadow);padding:1rem 1.15rem}
.copy-row{display:flex;flex-wrap:wrap;gap:.6rem;align-items:stretch;margin:.75rem 0}
.copy{flex:1 1 16rem;display:block;padding:.7rem 1rem;background:var(--card);border:1px solid var(--line);border-radius:.6rem;user-select:all;-webkit-user-select:all}
.copy-button{min-width:6rem;background:var(--accent);color:var(--on-accent);border-color:var(--accent);font-weight:600}
.figures{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(9rem,45%),1fr));gap:.75rem;margin:1rem 0 .25rem;padding:0}
.figures div{background:var(--sunk);border-radius:.6rem;padding:.6rem .9rem}
.figures dt{color:var(--soft);font-size:.9rem}
.figures dd{margin:0;font-size:1.5rem;font-weight:600;font-variant-numeric:tabular-nums}
.address{display:flex;flex-wrap:wrap;align-items:center;gap:.25rem .9rem;margin:.2rem 0;font-size:clamp(1.1rem,4.5vw,1.7rem);font-weight:600}
.tag{padding:.1rem .6rem;border-radius:2rem;background:var(--sunk);color:var(--soft);font-size:.9rem;font-weight:500}
.verdict{margin:.4rem 0}
.verdict-good{color:var(--good)}
.verdict-bad{color:var(--bad)}
.checks li{margin:.5rem 0}
.copy-row input{flex:1 1 16rem;width:auto}
${STATS_STYLE}${ADMIN_STYLE}`.trim();

/** Peers around the tracker, which tells them of each other. */
export const ICON = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 64 64"><defs><linearGradient id="g" x1="0" y1="0" x2="1" y2="1"><stop stop-color="#5a63e0"/><stop offset="1" stop-color="#0d9b70"/></linearGradient></defs><rect width="64" height="64" rx="15" fill="url(#g)"/><g stroke="#fff" stroke-width="3" stroke-opacity=".75"><path d="M32 32 15 20M32 32 47 15M32 32 51 40M32 32 23 51"/></g><g fill="#fff"><circle cx="32" cy="32" r="8"/><circle cx="15" cy="20" r="5"/><circle cx="47" cy="15" r="5"/><circle cx="51" cy="40" r="5"/><circle cx="23" cy="51" r="5"/></g></svg>`;
