// Training groups to files and back.
import { logicOf, type LogicOptions } from "../strategies.js";
import type { GroupsFormat, TrainingGroup } from "./types.js";

/** JSONL. Rejects with `invalid_argument` for a group that is none. */
export async function exportGroups(groups: readonly TrainingGroup[], format: GroupsFormat = "groups", place?: LogicOptions): Promise<string> {
  return await logicOf(place).call("negatives.export", { groups, format });
}

/** From JSONL: triplets and ColHNQue rows bring page, queries and answers alone. Rejects with `invalid_argument` that names the line. */
export async function importGroups(text: string, format: GroupsFormat = "groups", place?: LogicOptions): Promise<TrainingGroup[]> {
  return await logicOf(place).call("negatives.import", { text, format }) as TrainingGroup[];
}
