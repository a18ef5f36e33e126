export const style = `
:root { color-scheme: light; }
* { box-sizing: border-box; }
body { margin: 0; background: #fff; color: #222; font: 16px/1.5 system-ui, sans-serif; }
main { max-width: 1000px; margin: 0 auto; padding: 24px 16px 48px; }
h1 { font-size: 1.7rem; line-height: 1.2; margin: 0 0 .6rem; }
h2 { font-size: 1.25rem; margin: 2.2rem 0 .4rem; padding-top: 1rem; border-top: 1px solid #ddd; }
p, ul { max-width: 46rem; }
ul { padding-left: 1.2rem; }
li { margin: .3rem 0; }
.wide { overflow-x: auto; margin: 1rem 0; }
table { border-collapse: collapse; font-size: .9rem; font-variant-numeric: tabular-nums; }
th, td { padding: .3rem .8rem; text-align: right; }
th:first-child, td:first-child { text-align: left; padding-left: 0; }
th:last-child, td:last-child { padding-right: 0; }
th { border-bottom: 2px solid #888; vertical-align: bottom; }
td { border-bottom: 1px solid #e4e4e4; }
.figures dl { flex: 1 1 400px; align-content: start; margin: 0; }
.figures { display: flex; flex-wrap: wrap; gap: 16px 24px; margin: 1rem 0; }
figure { flex: 0 1 460px; min-width: 0; margin: 0; break-inside: avoid; }
figure svg { display: block; width: 100%; height: auto; }
figcaption { font-size: .85rem; color: #555; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .25rem 1rem; font-size: .9rem; }
dt { color: #555; }
dd { margin: 0; overflow-wrap: anywhere; }
@media (max-width: 600px) {
  table { font-size: .8rem; }
  th, td { padding: .3rem; }
  dl { grid-template-columns: 1fr; gap: 0; }
  dd { margin-bottom: .5rem; }
}
@media print {
  body { font-size: 11pt; }
  main { max-width: none; padding: 0; }
  h2 { break-after: avoid; }
  tr, dt, dd { break-inside: avoid; }
  .wide { overflow: visible; }
}
`;
