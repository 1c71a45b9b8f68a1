// A form for a question, with examples to choose: what several views begin with.
import { byId, makeButton } from "./dom.js";

/** Ids of the form, its text field, and where its examples go. */
export interface QuestionFormIds {
  form: string;
  question: string;
  examples: string;
}

/** Sending the form runs `run`, and so does choosing an example; the first of them stands in the field. Gives the field. */
export function questionForm(ids: QuestionFormIds, examples: readonly [string, ...string[]], run: () => void): HTMLInputElement {
  const question = byId<HTMLInputElement>(ids.question);
  byId(ids.form).addEventListener("submit", (event) => {
    event.preventDefault();
    run();
  });
  for (const example of examples) {
    byId(ids.examples).append(makeButton("link example", example, () => {
      question.value = example;
      run();
    }));
  }
  [question.value] = examples;
  return question;
}
