/** Opens the store that an address names. The only place that knows which drivers there are. */
import type { StoreAddress } from '../../config/store-address.ts';
import { DirectoryStore } from './directory-store.ts';
import { S3Store } from './s3-store.ts';
import type { Store } from './store.ts';

export interface OpenStoreOptions {
  /** The tracker's clock, seconds since the epoch. */
  readonly nowSeconds: () => number;
  /** This machine's clock, with its steps, by which files are dated; the tracker's when left out. */
  readonly wallSeconds?: () => number;
  /** How long one call to the store may take; each driver has its own default. */
  readonly operationMsMax?: number;
}

/** Makes the driver; nothing is read or written yet, so it succeeds when the store is down. */
export async function openStore(address: StoreAddress, options: OpenStoreOptions): Promise<Store> {
  switch (address.kind) {
    case 'directory':
      return new DirectoryStore({ ...options, path: address.path });
    case 's3':
      return S3Store.open({ ...options, address });
  }
}
