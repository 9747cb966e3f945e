/** Text of ASCII characters as bytes: for what is compared with requests and written into replies, made once. */
export const ascii = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text, 'ascii'));
