/** What the admin page has beyond the look of every page (style.ts). */
export const ADMIN_STYLE = `
.hashes{font:.9rem/1.45 ui-monospace,"Cascadia Code",Menlo,"DejaVu Sans Mono",monospace;resize:vertical}
.receipt{max-height:24rem;overflow:auto;padding:.8rem 1rem;background:var(--card);border:1px solid var(--line);border-radius:.6rem;white-space:pre-wrap;overflow-wrap:anywhere;font-size:.9rem}
.search-row,.buttons{display:flex;flex-wrap:wrap;gap:.6rem;align-items:center}
.search-row input{flex:1 1 14rem}
.bans td{text-align:left;overflow-wrap:anywhere}
.bans th[scope=col]{color:var(--soft);font-size:.9rem}
progress{width:100%}
`;
