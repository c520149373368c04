/** The presets by their names. Each is a file of this folder, and has a line here. */

import type { Presets } from "../lib/preset.ts";

/** All presets, in the order of their names. */
export const presets: Presets = {
  alertmanager: () => import("./alertmanager.mustache", { with: { type: "text" } }),
  cloudmailin: () => import("./cloudmailin.mustache", { with: { type: "text" } }),
  discord: () => import("./discord.mustache", { with: { type: "text" } }),
  full: () => import("./full.mustache", { with: { type: "text" } }),
  "google-chat": () => import("./google-chat.mustache", { with: { type: "text" } }),
  gotify: () => import("./gotify.mustache", { with: { type: "text" } }),
  "home-assistant": () => import("./home-assistant.mustache", { with: { type: "text" } }),
  json: () => import("./json.mustache", { with: { type: "text" } }),
  mailgun: () => import("./mailgun.mustache", { with: { type: "text" } }),
  matrix: () => import("./matrix.mustache", { with: { type: "text" } }),
  mattermost: () => import("./mattermost.mustache", { with: { type: "text" } }),
  n8n: () => import("./n8n.mustache", { with: { type: "text" } }),
  ntfy: () => import("./ntfy.mustache", { with: { type: "text" } }),
  opsgenie: () => import("./opsgenie.mustache", { with: { type: "text" } }),
  pagerduty: () => import("./pagerduty.mustache", { with: { type: "text" } }),
  postmark: () => import("./postmark.mustache", { with: { type: "text" } }),
  pushover: () => import("./pushover.mustache", { with: { type: "text" } }),
  raw: () => import("./raw.mustache", { with: { type: "text" } }),
  rocketchat: () => import("./rocketchat.mustache", { with: { type: "text" } }),
  sendgrid: () => import("./sendgrid.mustache", { with: { type: "text" } }),
  slack: () => import("./slack.mustache", { with: { type: "text" } }),
  teams: () => import("./teams.mustache", { with: { type: "text" } }),
  telegram: () => import("./telegram.mustache", { with: { type: "text" } }),
  zulip: () => import("./zulip.mustache", { with: { type: "text" } }),
};
