/** What is worked out of a whole list, and the same as long as the list is. */

/** The same function, which works out its answer once for each list; nobody may change a list that it was given. */
export function oncePerList<Item, Answer>(work: (list: readonly Item[]) => Answer): (list: readonly Item[]) => Answer {
  const answers = new WeakMap<readonly Item[], { readonly answer: Answer }>();
  return (list) => {
    const known = answers.get(list) ?? { answer: work(list) };
    answers.set(list, known);
    return known.answer;
  };
}
