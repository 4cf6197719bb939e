/** What the promise gives, or `late` when it takes longer. */
export async function withinMs<T, L = undefined>(deadlineMs: number, promise: Promise<T>, late?: L): Promise<T | L | undefined> {
  let timer: NodeJS.Timeout | undefined;
  try {
    return await Promise.race([
      promise,
      new Promise<L | undefined>((resolve) => {
        timer = setTimeout(resolve, deadlineMs, late);
      }),
    ]);
  } finally {
    clearTimeout(timer);
  }
}
