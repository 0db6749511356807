// SPDX-License-Identifier: Apache-2.0
// Finding records among a million: an index beside the ledger, in a file of its own. It follows from the ledger alone, so it costs
// an append nothing, is caught up by who asks (or by a server now and then), and may be deleted. What a record is found by, its
// terms, are derived by whoever knows the statements; here they are opaque.
//   terms.ts  what is asked for    postings.ts  sets of numbers, packed    file.ts  the tables    search.ts  catching up, pages
export { openSearch, type Page, type Search, type SearchOptions } from './search.ts';
export { matches, type Query, type Term, type Terms, type TermsOf } from './terms.ts';
