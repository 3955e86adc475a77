/** Hands a file to the person. Nothing is kept: the address of its content is given up at once. */
export function download(name: string, type: string, content: string): void {
  const url = URL.createObjectURL(new Blob([content], { type }));
  const link = document.createElement('a');
  link.href = url;
  link.download = name;
  link.click();
  // Not in this turn: some browsers start reading only afterwards.
  setTimeout(() => URL.revokeObjectURL(url), 1000);
}

/** A text that every file system takes as part of a file's name. */
export function fileNamePart(text: string): string {
  return (
    text
      .replace(/[^A-Za-z0-9._-]+/g, '-')
      .replace(/^[-.]+|[-.]+$/g, '')
      .slice(0, 60) || 'component'
  );
}
