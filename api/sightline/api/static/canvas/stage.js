// The camera and the layers: WebGL below (sigma, from 400 nodes on) and one 2D layer above. Knows no API.
//
// A small picture is painted whole in each frame. Of a large one sigma draws discs and plain lines; labels,
// trunks and dashes are painted when it rests, hidden while it is zoomed, and all layers are shifted as they are
// while it is panned. The camera says which point is in the middle (x, y) and how many pixels a unit has (k).

/** @typedef {import("./graph.js").Node} Node */
/** @typedef {import("./graph.js").Edge} Edge */
/** @typedef {{ x: number, y: number, k: number }} Camera */
/** @typedef {{ nodes: Node[], edges: Edge[], colour: (node: Node) => string, line: () => string, faint: () => string }} Scene */
/** @typedef {(context: CanvasRenderingContext2D, stage: Stage) => void} Paint */

/** More nodes or edges than this are drawn by WebGL. */
const SMALL = { nodes: 400, edges: 1000 };
/** Milliseconds without movement until the 2D layer of a large picture is painted. */
const REST = 120;
const [NEAREST, FARTHEST] = [4, 0.02];
/** Half the side of the square that sigma is told to look at. */
const SIDE = 1000;

export class Stage {
  /** @param {HTMLElement} place @param {Paint} paint */
  constructor(place, paint) {
    this.place = place;
    this.paint = paint;
    /** @type {Camera} */
    this.camera = { x: 0, y: 0, k: 1 };
    this.layers = document.createElement("div");
    this.layers.className = "layers";
    this.below = document.createElement("div");
    this.below.className = "below";
    this.above = document.createElement("canvas");
    this.layers.append(this.below, this.above);
    place.prepend(this.layers);
    this.context = /** @type {CanvasRenderingContext2D} */ (this.above.getContext("2d"));
    /** @type {Scene} */
    this.scene = { nodes: [], edges: [], colour: () => "", line: () => "", faint: () => "" };
    /** @type {any} */
    this.sigma = null;
    /** @type {any} */
    this.graph = null;
    this.width = place.clientWidth;
    this.height = place.clientHeight;
    this.frame = 0;
    this.timer = 0;
    this.shift = { x: 0, y: 0 };
    this.moving = false;
    /** Called when the picture rests. */
    this.onRest = () => {};
    /** Called when there is more or less room. */
    this.onResize = () => {};
    this.resizer = new ResizeObserver(() => this.resize());
    this.resizer.observe(place);
    this.resize();
  }

  get large() { return this.scene.nodes.length > SMALL.nodes || this.scene.edges.length > SMALL.edges; }
  /** How much smaller nodes are drawn from afar. */
  get zoom() { return this.large ? Math.min(1, Math.max(0.35, Math.sqrt(this.camera.k))) : Math.min(1.25, Math.max(0.55, Math.sqrt(this.camera.k))); }

  resize() {
    this.width = this.place.clientWidth;
    this.height = this.place.clientHeight;
    const scale = Math.min(2, devicePixelRatio || 1);
    this.above.width = Math.round(this.width * scale);
    this.above.height = Math.round(this.height * scale);
    this.scale = scale;
    this.sigma?.resize(true);
    this.onResize();
    this.draw();
  }

  /** @param {{ x: number, y: number }} point in the picture */
  toScreen({ x, y }) {
    const { camera } = this;
    return { x: this.width / 2 + (x - camera.x) * camera.k, y: this.height / 2 + (y - camera.y) * camera.k };
  }

  /** @param {{ x: number, y: number }} point in pixels */
  toPicture({ x, y }) {
    const { camera } = this;
    return { x: camera.x + (x - this.width / 2) / camera.k, y: camera.y + (y - this.height / 2) / camera.k };
  }

  /** Show this from now on. @param {Scene} scene */
  async show(scene) {
    this.scene = scene;
    if (this.large) await this.fill();
    else this.below.hidden = true;
    this.draw();
  }

  /** Hand nodes and edges to sigma, which loads with the first large picture. */
  async fill() {
    const { Graph, Sigma } = await import("../vendor/sigma.js");
    this.below.hidden = false;
    const graph = new Graph({ multi: true, type: "directed" });
    for (const node of this.scene.nodes) graph.addNode(node.id, { x: node.x, y: -node.y, size: node.r, color: this.scene.colour(node) });
    const [line, many] = [this.scene.faint(), this.scene.edges.length > SMALL.edges];
    for (const edge of this.scene.edges) {
      if (edge.source === edge.target || (edge.status !== "stated" && !many)) continue;
      graph.addDirectedEdgeWithKey(edge.key, edge.source.id, edge.target.id, { size: 0.7, color: line });
    }
    this.graph = graph;
    if (this.sigma) {
      this.sigma.setGraph(graph);
    } else {
      this.sigma = new Sigma(graph, this.below, {
        allowInvalidContainer: true, renderLabels: false, renderEdgeLabels: false, enableEdgeEvents: false, stagePadding: 0,
        itemSizesReference: "screen", zoomToSizeRatioFunction: () => 1 / this.zoom, minCameraRatio: null, maxCameraRatio: null, defaultEdgeType: "line",
      });
    }
    this.sigma.setCustomBBox({ x: [-SIDE, SIDE], y: [-SIDE, SIDE] });
    this.sigma.getCamera().setState({ x: 0.5, y: 0.5, ratio: 1, angle: 0 });
    this.sigma.refresh();
    const [a, b] = [this.sigma.graphToViewport({ x: 0, y: 0 }), this.sigma.graphToViewport({ x: 100, y: 0 })];
    this.unit = (b.x - a.x) / 100;
  }

  /** Paint in the next frame. */
  draw() {
    this.frame ||= requestAnimationFrame(() => {
      this.frame = 0;
      this.now();
    });
  }

  now() {
    if (this.large && this.sigma && this.unit) {
      const { x, y, k } = this.camera;
      this.sigma.getCamera().setState({ x: 0.5 + x / (2 * SIDE), y: 0.5 - y / (2 * SIDE), ratio: this.unit / k });
    }
    const { context, scale = 1 } = this;
    context.setTransform(scale, 0, 0, scale, 0, 0);
    context.clearRect(0, 0, this.width, this.height);
    if (!this.moving || !this.large) this.paint(context, this);
  }

  /** The camera has moved: by how much on the screen, if it was only moved. @param {{ x: number, y: number } | null} by */
  moved(by) {
    clearTimeout(this.timer);
    this.timer = window.setTimeout(() => this.rest(), REST);
    if (!this.large) return this.draw();
    if (by) {
      this.shift.x += by.x;
      this.shift.y += by.y;
      this.layers.style.transform = `translate(${this.shift.x}px, ${this.shift.y}px)`;
      if (Math.abs(this.shift.x) > this.width / 3 || Math.abs(this.shift.y) > this.height / 3) this.rest();
      return;
    }
    this.moving = true;
    this.draw();
  }

  rest() {
    clearTimeout(this.timer);
    this.moving = false;
    this.shift = { x: 0, y: 0 };
    this.layers.style.transform = "";
    this.draw();
    this.onRest();
  }

  /** @param {number} x @param {number} y in pixels */
  pan(x, y) {
    this.camera.x -= x / this.camera.k;
    this.camera.y -= y / this.camera.k;
    this.moved({ x, y });
  }

  /** Zoom, with a point that stays where it is. @param {number} factor @param {{ x: number, y: number }} [at] in pixels */
  zoomBy(factor, at = { x: this.width / 2, y: this.height / 2 }) {
    const before = this.toPicture(at);
    this.camera.k = Math.min(NEAREST, Math.max(FARTHEST, this.camera.k * factor));
    const after = this.toPicture(at);
    this.camera.x += before.x - after.x;
    this.camera.y += before.y - after.y;
    this.moved(null);
  }

  /** Show all of these. @param {Iterable<{ x: number, y: number }>} points @param {{ top: number, right: number, bottom: number, left: number }} edge pixels that are left free */
  fit(points, edge) {
    const all = [...points];
    if (!all.length || !this.width || !this.height) return;
    const xs = all.map((point) => point.x);
    const ys = all.map((point) => point.y);
    const [left, right, top, bottom] = [min(xs), max(xs), min(ys), max(ys)];
    const wide = Math.max(80, this.width - edge.left - edge.right);
    const high = Math.max(80, this.height - edge.top - edge.bottom);
    const k = Math.min(1.15, wide / Math.max(1, right - left), high / Math.max(1, bottom - top));
    this.camera = {
      k: Math.max(FARTHEST, k),
      x: (left + right) / 2 + (edge.right - edge.left) / 2 / k,
      y: (top + bottom) / 2 + (edge.bottom - edge.top) / 2 / k,
    };
    this.moved(null);
    this.rest();
  }

  /** The nearest node under a point. @param {{ x: number, y: number }} at in pixels @param {number} [reach] @returns {Node | null} */
  nodeAt(at, reach = 6) {
    const { x, y } = this.toPicture(at);
    let best = null;
    let least = Infinity;
    for (const node of this.scene.nodes) {
      const far = Math.hypot(node.x - x, node.y - y) * this.camera.k - node.r * this.zoom;
      if (far < reach && far < least) [best, least] = [node, far];
    }
    return best;
  }

  end() {
    cancelAnimationFrame(this.frame);
    clearTimeout(this.timer);
    this.resizer.disconnect();
    this.sigma?.kill();
    this.layers.remove();
  }
}

/** @param {number[]} list */
const min = (list) => list.reduce((a, b) => Math.min(a, b), Infinity);
/** @param {number[]} list */
const max = (list) => list.reduce((a, b) => Math.max(a, b), -Infinity);
