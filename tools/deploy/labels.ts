/** Labels of all objects of an installation. */

/** What pods of a part are found by; it never changes. */
export function selectorOf(component: string): Readonly<Record<string, string>> {
  return { 'app.kubernetes.io/name': 'holdfast', 'app.kubernetes.io/component': component };
}

/** @param component - part of Holdfast; none for what is common to all */
export function labelsOf(component?: string): Readonly<Record<string, string>> {
  const part = { 'app.kubernetes.io/part-of': 'holdfast' };
  return component === undefined ? part : { ...selectorOf(component), ...part };
}
