/** What the admin page has beyond the look of every page (style.ts). */
export const ADMIN_STYLE = `
.hashes{font:.9rem/1.45 ui-monospace,"Cascadia Code",Menlo,"DejaVu Sans Mono",monospace;resize:vertical}
.receipt{max-height:24rem;overflow:auto;padding:.8rem 1rem;background:var(--card);border:1px solid var(--line);border-radius:.6rem;white-space:pre-wrap;overflow-wrap:anywhere;font-size:.9rem}
.search-row,.buttons{display:flex;flex-wrap:wrap;gap:.6rem;align-items:center}
.search-row input{flex:1 1 14rem}
.found{overflow-wrap:anywhere}
.bans{list-style:none;margin:0;padding:0}
.bans li{display:grid;grid-template-columns:1fr auto;gap:0 1rem;align-items:center;padding:.5rem 0;border-bottom:1px solid var(--line)}
.bans .note{grid-column:1;overflow-wrap:anywhere}
.bans button{grid-column:2;grid-row:1/span 2}
progress{width:100%}
`;
