/** The SMTP dialogues against the program as a process, one process for each set of flags. */
import { argumentsOf, type Dialogue, readDialogues } from "../dialogue.ts";
import { Pigeon } from "../pigeon.ts";
import { DialogueEndpoint } from "../player.ts";

/** Dialogues in one group can be held by one process. */
const surroundings = ({ flags, answers }: Dialogue) =>
  [...flags.length > 0 ? flags : ["no flags"], ...answers.includes("unreachable") ? ["alone"] : []]
    .join(" ");

for (const [flags, dialogues] of Map.groupBy(await readDialogues(), surroundings)) {
  const [first] = dialogues;
  Deno.test(`the program holds its dialogues with ${flags}`, async (t) => {
    await using endpoint = new DialogueEndpoint();
    await using pigeon = await Pigeon.start(argumentsOf(first, endpoint.urlFor(first)));
    for (const dialogue of dialogues) {
      await t.step(
        `${dialogue.name}: ${dialogue.title}`,
        () => endpoint.play(dialogue, pigeon.port),
      );
    }
  });
}
