/**
 * Grouped bars as an SVG image, in panels that have a scale each. All colours are halfway between
 * black and white, so that it can stand on either.
 */
import { figure } from "../figures.ts";

/** A bar, and the extremes of what it is the middle of. */
export interface Bar {
  readonly value: number;
  readonly low: number;
  readonly high: number;
}

/** Bars of one scale. */
export interface Panel {
  readonly title: string;
  /** Each has a bar for each name of the legend, in the same order, or null where there is none. */
  readonly groups: readonly { readonly name: string; readonly bars: readonly (Bar | null)[] }[];
}

/** What to draw. */
export interface Plot {
  readonly title: string;
  /** A line below the title. */
  readonly note: string;
  /** What the bars of a group stand for; at most as many as there are colours, 4. */
  readonly legend: readonly string[];
  /** Panels, as they stand beside and below each other. */
  readonly rows: readonly (readonly Panel[])[];
}

const COLOURS = ["#2f81d6", "#2e9e5b", "#d9772b", "#8e8e93"];
const INK = "#808080";

// Lengths are in pixels.
const BAR = 34;
const [GROUP_GAP, PANEL_GAP, MARGIN, AXIS] = [24, 40, 20, 48];
const [HEAD, PANEL_TITLE, BARS, PANEL_FOOT] = [84, 44, 150, 36];
const PANEL_HEIGHT = PANEL_TITLE + BARS + PANEL_FOOT;

/** The picture as a text. */
export function plot({ title, note, legend, rows }: Plot): string {
  const groupWidth = legend.length * BAR + GROUP_GAP;
  const widthOf = ({ groups }: Panel) => AXIS + groups.length * groupWidth;
  const columns = rows[0].map((_, i) => Math.max(...rows.map((row) => widthOf(row[i]))));
  const rest = columns.reduce((sum, width) => sum + width, (columns.length - 1) * PANEL_GAP);
  const width = Math.max(rest, note.length * 6.5) + 2 * MARGIN;
  const height = HEAD + rows.length * PANEL_HEIGHT + MARGIN;
  const names = legend.map((name, i) =>
    `<rect x="${MARGIN + i * 110}" y="60" width="12" height="12" fill="${COLOURS[i]}"/>` +
    text(MARGIN + i * 110 + 18, 70, name)
  );
  const panels = rows.flatMap((row, y) =>
    row.map((panel, i) => {
      const x = columns.slice(0, i).reduce((sum, width) => sum + width + PANEL_GAP, MARGIN);
      return drawn(panel, x, HEAD + y * PANEL_HEIGHT, columns[i]);
    })
  );
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" ` +
    `height="${height}" font-family="sans-serif" font-size="12" fill="${INK}">`,
    text(MARGIN, 28, title, 'font-size="17" font-weight="bold"'),
    text(MARGIN, 48, note),
    ...names,
    ...panels,
    "</svg>\n",
  ].join("\n");
}

function drawn({ title, groups }: Panel, left: number, top: number, width: number): string {
  const highest = Math.max(...groups.flatMap(({ bars }) => bars.map((bar) => bar?.high ?? 0)));
  const step = stepOf(highest);
  const scale = Math.max(step, Math.ceil(highest / step) * step);
  const floor = top + PANEL_TITLE + BARS;
  const y = (value: number) => round(floor - value / scale * BARS);
  const lines: string[] = [];
  for (let i = 0; i * step <= scale; i++) {
    const at = y(i * step);
    lines.push(
      `<line x1="${left + AXIS}" x2="${left + width}" y1="${at}" y2="${at}" stroke="${INK}" ` +
        `stroke-opacity="${i === 0 ? 1 : 0.3}"/>`,
      text(left + AXIS - 6, at + 4, (i * step).toLocaleString("en-US"), 'text-anchor="end"'),
    );
  }
  const bars = groups.flatMap(({ name, bars }, g) => {
    const start = left + AXIS + GROUP_GAP / 2 + g * (bars.length * BAR + GROUP_GAP);
    return [
      text(start + bars.length * BAR / 2, floor + 18, name, 'text-anchor="middle"'),
      ...bars.flatMap((bar, i) => {
        if (bar === null) return [];
        const [x, middle] = [start + i * BAR, start + (i + 0.5) * BAR];
        const at = y(bar.value);
        return [
          `<rect x="${x + 1}" y="${at}" width="${BAR - 2}" height="${round(floor - at)}" ` +
          `fill="${COLOURS[i]}"/>`,
          `<line x1="${middle}" x2="${middle}" y1="${y(bar.low)}" y2="${y(bar.high)}" ` +
          `stroke="${INK}" stroke-width="2"/>`,
          text(middle, y(bar.high) - 5, figure(bar.value), 'text-anchor="middle" font-size="10"'),
        ];
      }),
    ];
  });
  return [
    text(left + AXIS, top + 22, title, 'font-weight="bold"'),
    ...lines,
    ...bars,
  ].join("\n");
}

/** A round number, of which 2 to 5 make the highest value. */
function stepOf(highest: number): number {
  const power = 10 ** Math.floor(Math.log10(highest / 2 || 1));
  return [5, 2, 1].map((n) => n * power).find((step) => step * 2 <= highest) ?? power;
}

function text(x: number, y: number, content: string, attributes = ""): string {
  const safe = content.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
  return `<text x="${round(x)}" y="${round(y)}" ${attributes}>${safe}</text>`;
}

function round(length: number): number {
  return Math.round(length * 10) / 10;
}
