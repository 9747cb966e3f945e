// What the floors answer: bytes in the form and of the length of an announce's reply with 50 peers.
export const BODY = Buffer.from(
  `d8:completei100e10:downloadedi0e10:incompletei100e8:intervali1800e12:min intervali900e5:peers300:${'x'.repeat(300)}e`,
);
