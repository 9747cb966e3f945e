/** The part of the style sheet that /stats alone needs; the colours are style.ts's. */
export const STATS_STYLE = `
.stats-head{display:flex;flex-wrap:wrap;align-items:center;justify-content:space-between;gap:.25rem 1rem}
.state{display:inline-flex;align-items:center;gap:.5rem;margin:0;padding:.25rem .8rem;border-radius:2rem;background:var(--sunk);color:var(--soft);font-size:.9rem}
.dot{width:.6rem;height:.6rem;border-radius:50%;background:var(--soft)}
.state[data-state=live]{color:var(--good)}
.state[data-state=live] .dot{background:var(--good);animation:pulse 2s ease-out infinite}
.state[data-state=reconnecting]{color:var(--warn);background:var(--warn-paper)}
.state[data-state=reconnecting] .dot{background:var(--warn)}
@keyframes pulse{0%{box-shadow:0 0 0 0 color-mix(in srgb,var(--good) 60%,transparent)}80%,100%{box-shadow:0 0 0 .5rem transparent}}
@media (prefers-reduced-motion:reduce){.state .dot{animation:none!important}}

.hero{display:grid;grid-template-columns:repeat(2,minmax(0,1fr));gap:.85rem;margin:.75rem 0 1.25rem}
.tile{position:relative;overflow:hidden;display:flex;flex-direction:column;background:var(--card);border:1px solid var(--line);border-radius:.9rem;box-shadow:var(--shadow);padding:.9rem 1.1rem}
.tile dt{color:var(--soft);font-size:.92rem}
.tile dd{margin:0}
.tile dt+dd{font-size:clamp(1.5rem,5.5vw,2.15rem);line-height:1.25;font-weight:650;letter-spacing:-.02em;font-variant-numeric:tabular-nums;white-space:nowrap}
.tile-peers{grid-column:1/-1}
.tile-peers dt+dd{font-size:clamp(2.6rem,12vw,4.2rem);line-height:1.1}
.tile .split{margin-top:.5rem}
.split p{margin:.4rem 0 0;display:flex;flex-wrap:wrap;gap:.1rem 1.25rem;font-variant-numeric:tabular-nums}
.tile .spark{margin:auto -1.1rem -.9rem}
.spark svg{display:block;width:100%;height:2.4rem}
.spark path{fill:none;stroke:var(--accent);stroke-width:2;vector-effect:non-scaling-stroke;stroke-linejoin:round;opacity:.8}
.spark path:first-child{fill:var(--accent);stroke:none;opacity:.1}

.key{display:inline-flex;align-items:center;gap:.4rem;--key:var(--soft)}
.key::before{content:"";width:.7rem;height:.7rem;border-radius:.2rem;background:var(--key);flex:none}
.key-seeders{--key:var(--seeders)}
.key-leechers{--key:var(--leechers)}
.key b{font-weight:600;font-variant-numeric:tabular-nums}

.bar{display:block;width:100%;height:.55rem;border-radius:.3rem;overflow:hidden}
.bar-whole{fill:var(--sunk)}
.bar-part{fill:var(--first)}
.split .bar{height:.8rem}
.bar-part{transition:width .4s}
[data-share=anybody]{fill:var(--leechers)}
[data-share=anybody]~.bar-part{fill:var(--seeders)}

.plots{margin:0 0 1.25rem}
.plots-head{display:flex;flex-wrap:wrap;align-items:center;gap:.4rem 1.25rem;margin-bottom:.6rem}
.plots-head h2,.plots-head p{margin:0}
.spans{display:inline-flex;margin:0;padding:.2rem;border:0;border-radius:.7rem;background:var(--sunk)}
.spans label{margin:0;font-weight:500;cursor:pointer}
.spans input{position:absolute;width:1px;opacity:0}
.spans span{display:block;padding:.25rem .95rem;border-radius:.55rem;color:var(--soft)}
.spans input:checked+span{background:var(--card);color:var(--ink);box-shadow:var(--shadow);font-weight:600}
.spans input:focus-visible+span{outline:3px solid var(--accent);outline-offset:1px}
.plot-grid{display:grid;grid-template-columns:minmax(0,1fr);gap:.85rem}
.plot{display:flex;flex-direction:column;margin:0;padding:.85rem .75rem .5rem}
.plot figcaption{display:flex;flex-wrap:wrap;align-items:baseline;gap:.05rem 1rem;padding:0 .4rem .45rem;color:var(--soft);font-size:.88rem}
.plot figcaption strong{flex-basis:100%;color:var(--ink);font-size:1rem;font-weight:600}
.plot figcaption{position:relative}
.plot time{position:absolute;right:.4rem;top:.1rem;padding-left:.4rem;background:var(--card);color:var(--soft);font-size:.88rem;font-weight:400}
.plot figcaption b{color:var(--ink)}
.plot-image{position:relative;flex:1;min-height:12rem;overflow:hidden}
.plot-image>.uplot{position:absolute;inset:0}
.plot .u-cursor-x{border-right:1px dashed var(--soft)}

.cards{columns:19rem;column-gap:.85rem;margin-bottom:.5rem}
.cards .card{break-inside:avoid;margin-bottom:.85rem}
.cards h2{margin:0 0 .35rem;font-size:1rem}
.cards .note{margin:-.2rem 0 .3rem;font-size:.88rem}
.cards th{color:var(--soft)}
.cards td{white-space:nowrap}
.cards .bar{margin:.35rem 0}
.bars{list-style:none;margin:.2rem 0 0;padding:0}
.bars li{display:grid;grid-template-columns:1fr auto;gap:0 1rem;padding:.28rem 0}
.bars .part{padding-left:1.1rem}
.bars span{color:var(--soft);overflow-wrap:anywhere}
.bars b{font-weight:500;font-variant-numeric:tabular-nums}
.bars svg{grid-column:1/-1;height:.4rem!important;margin:.2rem 0 0!important}
.cards .empty{text-align:left;color:var(--soft)}
.swarms thead th{font-size:.88rem;text-align:right}
.swarms thead th:first-child{text-align:left}
.cards code{font-size:.8rem}

@media (min-width:44rem){
  .hero{grid-template-columns:repeat(4,minmax(0,1fr))}
  .tile dt{font-size:.88rem}
  .plot-grid{grid-template-columns:repeat(2,minmax(0,1fr))}
  .plot-wide{grid-column:span 2}
}
@media (min-width:75rem){
  .hero{grid-template-columns:minmax(0,1.7fr) repeat(4,minmax(0,1fr))}
  .tile-peers{grid-column:auto}
  .tile-peers dt+dd{font-size:clamp(3rem,3.6vw,4.6rem)}
  .plot-grid{grid-template-columns:repeat(4,minmax(0,1fr))}
}
`;
