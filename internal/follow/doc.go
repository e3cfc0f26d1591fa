// Package follow reads the journal on behalf of whoever makes something of it:
// delivery, the cabinet's tables, the proof. Each follower goes at its own
// pace and remembers, partition by partition, how far it got.
//
// It promises:
//
//  1. A follower is given every entry of a partition, in order, without a hole.
//  2. What it makes of a page and the move of its cursor are one transaction, so
//     the effect of an entry stands once, whenever a process dies.
//  3. Over many nodes a lease says which of them follows which partitions. A
//     node that dies, freezes or is cut off loses it within its span; one that
//     wakes up too late finds the cursor moved, and changes nothing.
//  4. Memory is bounded: one page at a time of a group of partitions, and a page
//     ends at so many entries or bytes.
//  5. A page that fails is tried again ever more seldom, up to once a minute.
//     What it failed on stands beside the cursor for the operator to read, and
//     other partitions go on.
//
// Left to others: what becomes of entries (the Follower), the transactions (the
// Store, implemented by the engines), when a process follows at all (cmd).
package follow
