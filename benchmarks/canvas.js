// Run in a page by bench_canvas.py: a synthetic graph, seeded, in 24 clusters, on the explorer's own stage, which it
// leaves in `window.stage` for the movements.
(async (asked) => {
  const [{ Stage }, painting] = await Promise.all([import("/canvas/stage.js"), import("/canvas/paint.js")]);
  let seed = 7;
  const random = () => ((seed = (seed * 16807) % 2147483647) - 1) / 2147483646;
  const nodes = Array.from({ length: asked.nodes }, (_, i) => {
    const [turn, far, cluster] = [2 * Math.PI * random(), 300 * Math.sqrt(random()), i % 24];
    const [x, y] = [(cluster % 6) * 800 - 2000 + far * Math.cos(turn), Math.floor(cluster / 6) * 800 - 1200 + far * Math.sin(turn)];
    const entity = { id: "n" + i, iri: "", label: "Entity number " + i, types: [] };
    return { id: entity.id, entity, degree: 0, owner: null, x, y, r: 5, edges: [], opened: i < 24 };
  });
  const edges = Array.from({ length: asked.edges }, (_, i) => {
    const a = Math.floor(random() * asked.nodes);
    const b = random() < 0.9 ? (a + 24 * Math.floor(1 + 20 * random())) % asked.nodes : Math.floor(random() * asked.nodes);
    const edge = { key: "e" + i, source: nodes[a], target: nodes[b], relation: { id: "r", iri: "", label: "r" }, status: i % 200 ? "stated" : "predicted", chance: i % 200 ? null : 0.4, origins: [] };
    for (const end of [edge.source, edge.target]) { end.degree += 1; end.edges.push(edge); }
    return edge;
  });
  const place = document.body.appendChild(document.createElement("div"));
  place.style.cssText = "position:fixed;inset:0";
  painting.readTheme(place);
  const shown = { nodes, edges, groups: [], centre: nodes[0], lit: null, chosen: new Set(), pinned: new Set(), labels: 1, phrase: () => "", lasso: [] };
  const stage = (window.stage = new Stage(place, (c, s) => painting.paint(c, s, shown)));
  for (const layer of [stage.layers, stage.below, stage.above]) layer.style.cssText = "position:absolute;inset:0;width:100%;height:100%";
  await stage.show({ nodes, edges, colour: () => "#1632e5", line: () => "#c3c9d3", faint: () => "#d4d8df" });
  stage.fit(nodes, { top: 0, right: 0, bottom: 0, left: 0 });
  await new Promise((done) => setTimeout(done, 1500));
  return stage.large;
})
