// Where things stand: neighbours in sectors by relation around what they were expanded from. Pure and without chance:
// the same steps in the same order give the same picture. Nothing that stands moves.

/** @typedef {import("./graph.js").Group} Group */
/** @typedef {import("./graph.js").Node} Node */
/** @typedef {{ x: number, y: number }} Point */

/** Half the room around a node: names are wide and low. */
const WIDE = 62;
const HIGH = 25;
const GAP = 0.8;

/** A number from 0 to 1 that is always the same for a text. @param {string} text */
function seeded(text) {
  let hash = 2166136261;
  for (const letter of text) hash = Math.imul(hash ^ (letter.codePointAt(0) ?? 0), 16777619);
  return ((hash ^ (hash >>> 15)) >>> 0) / 4294967296;
}

/** What a group places: its nodes, then the sign for what was left out. @param {Group} group @returns {(Node | null)[]} */
const slots = (group) => [...group.nodes, ...(group.more ? [null] : [])];

/** Place the first step around the entity: a whole turn, upright where the picture is narrow. @param {Group[]} groups @param {boolean} narrow */
export function around(groups, narrow) {
  const [wide, high] = narrow ? [0.64, 1.42] : [0.97, 1.08];
  const total = groups.reduce((sum, group) => sum + slots(group).length + GAP, 0);
  const count = groups.reduce((sum, group) => sum + slots(group).length, 0);
  const radius = Math.max(count > 12 ? 250 : 190, 9.5 * count);
  let at = GAP / 2;
  for (const group of groups) {
    const some = slots(group);
    const angles = some.map((_, i) => turned((at + i + 0.5) / total));
    some.forEach((node, i) => {
      const angle = angles[i] ?? 0;
      const far = radius * (0.94 + 0.14 * seeded(node?.id ?? group.key)) * (node ? 1 : 0.82);
      set(group, node, { x: wide * far * Math.cos(angle), y: high * far * Math.sin(angle) });
    });
    trunk(group, { x: 0, y: 0 }, 0.45);
    at += some.length + GAP;
  }
}

/** The angle of a share of a turn, from the top and clockwise: sides, where names stand beside each other, hold more. @param {number} share */
function turned(share) {
  const steps = 720;
  const weights = Array.from({ length: steps }, (_, i) => 0.5 + Math.abs(Math.cos((2 * Math.PI * i) / steps - Math.PI / 2)));
  const sum = weights.reduce((a, b) => a + b, 0);
  let seen = 0;
  const at = weights.findIndex((weight) => (seen += weight / sum) >= share);
  return (2 * Math.PI * (at < 0 ? steps : at)) / steps - Math.PI / 2;
}

/**
 * Place what an entity was expanded to: a fan away from where it came from, where there is room.
 * @param {Group[]} groups
 * @param {Node} owner
 * @param {Point} from
 * @param {Iterable<Point>} taken
 * @param {number} [nearest]
 */
export function beyond(groups, owner, from, taken, nearest = 105) {
  const all = groups.flatMap((group) => slots(group).map((node) => ({ group, node })));
  if (!all.length) return;
  const away = Math.atan2(owner.y - from.y, owner.x - from.x);
  const others = [...taken].filter((point) => point !== owner);
  const spread = Math.min(1.5 * Math.PI, 0.8 + 0.16 * all.length);
  /** @type {{ x: number, y: number, angle: number }[]} */
  const free = [];
  for (let far = nearest; free.length < all.length && far < 4000; far += 38) {
    const parts = Math.max(3, Math.floor((spread * far) / 34));
    for (let i = 0; i <= parts && free.length < all.length; i += 1) {
      // From the middle outwards, so that few stand straight ahead.
      const side = (i % 2 ? 1 : -1) * Math.ceil(i / 2);
      const angle = (side / parts) * spread;
      const point = { x: owner.x + far * Math.cos(away + angle), y: owner.y + far * Math.sin(away + angle), angle };
      if (![owner, ...others, ...free].some((b) => Math.abs(b.x - point.x) < WIDE && Math.abs(b.y - point.y) < HIGH)) free.push(point);
    }
  }
  free.sort((a, b) => a.angle - b.angle);
  all.forEach(({ group, node }, i) => set(group, node, free[i] ?? owner));
  for (const group of groups) trunk(group, owner, 0.5);
}

/** @param {Group} group @param {Node | null} node @param {Point} point */
function set(group, node, { x, y }) {
  const place = { x: Math.round(x), y: Math.round(y) };
  if (node) Object.assign(node, place);
  else group.rest = place;
}

/** Where the edges of a group part. @param {Group} group @param {Point} owner @param {number} share */
export function trunk(group, owner, share) {
  const points = [...group.nodes, ...(group.rest ? [group.rest] : [])];
  const n = points.length || 1;
  const sum = points.reduce((all, point) => ({ x: all.x + (point.x - owner.x) / n, y: all.y + (point.y - owner.y) / n }), { x: 0, y: 0 });
  // Points all around have their mean in the middle: then the trunk leads to the one between the others.
  const halfway = points[Math.floor(n / 2)] ?? owner;
  const far = Math.hypot(halfway.x - owner.x, halfway.y - owner.y);
  const middle = Math.hypot(sum.x, sum.y) > 0.6 * far ? sum : { x: 0.8 * (halfway.x - owner.x), y: 0.8 * (halfway.y - owner.y) };
  group.x = owner.x + share * middle.x;
  group.y = owner.y + share * middle.y;
}
