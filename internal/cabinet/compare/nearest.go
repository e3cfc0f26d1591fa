package compare

import (
	"cmp"
	"slices"

	"openofd/internal/fiscal"
)

// nearest pairs rows with receipts of the same place, operation and sum by the
// nearest time: of all pairs no further apart than the tolerance the closest goes
// first, and so on. The two closest that are left are always neighbors in time,
// so a list of all in order and a heap of neighbors are enough: n log n.
type nearest struct {
	nodes []node
	heap  []neighbors
	most  fiscal.WallTime
}

// node is a row or a receipt in the list.
type node struct {
	time       fiscal.WallTime
	at         int32 // which one
	row        bool
	gone       bool
	prev, next int32 // −1 none
}

// neighbors are two nodes of which one is a row.
type neighbors struct {
	apart       fiscal.WallTime
	left, right int32
}

// pair pairs them. times tells when a row or a receipt was.
func (n *nearest) pair(rows, receipts []int32, rowTime, receiptTime func(int32) fiscal.WallTime, most fiscal.WallTime, found func(row, receipt int32)) {
	n.nodes, n.heap, n.most = n.nodes[:0], n.heap[:0], most
	for _, r := range rows {
		n.nodes = append(n.nodes, node{time: rowTime(r), at: r, row: true})
	}
	for _, r := range receipts {
		n.nodes = append(n.nodes, node{time: receiptTime(r), at: r})
	}
	slices.SortFunc(n.nodes, func(a, b node) int {
		c := cmp.Compare(a.time, b.time)
		if c == 0 && a.row != b.row {
			if c = 1; a.row {
				c = -1
			}
		}
		return cmp.Or(c, cmp.Compare(a.at, b.at))
	})
	for i := range n.nodes {
		n.nodes[i].prev, n.nodes[i].next = int32(i-1), int32(i+1)
	}
	n.nodes[len(n.nodes)-1].next = -1
	for i := range len(n.nodes) - 1 {
		n.meet(int32(i), int32(i+1))
	}
	for len(n.heap) > 0 {
		p := n.pop()
		a, b := &n.nodes[p.left], &n.nodes[p.right]
		if a.gone || b.gone {
			continue
		}
		if a.row {
			found(a.at, b.at)
		} else {
			found(b.at, a.at)
		}
		a.gone, b.gone = true, true
		left, right := a.prev, b.next
		if left >= 0 {
			n.nodes[left].next = right
		}
		if right >= 0 {
			n.nodes[right].prev = left
		}
		if left >= 0 && right >= 0 {
			n.meet(left, right)
		}
	}
}

// meet makes two nodes neighbors.
func (n *nearest) meet(left, right int32) {
	a, b := &n.nodes[left], &n.nodes[right]
	if a.row == b.row || b.time-a.time > n.most {
		return
	}
	n.heap = append(n.heap, neighbors{b.time - a.time, left, right})
	for i := len(n.heap) - 1; i > 0; {
		up := (i - 1) / 2
		if !n.closer(i, up) {
			return
		}
		n.heap[i], n.heap[up] = n.heap[up], n.heap[i]
		i = up
	}
}

// closer orders the heap: by distance, then by the order of the list.
func (n *nearest) closer(i, j int) bool {
	a, b := n.heap[i], n.heap[j]
	return cmp.Or(cmp.Compare(a.apart, b.apart), cmp.Compare(a.left, b.left), cmp.Compare(a.right, b.right)) < 0
}

func (n *nearest) pop() neighbors {
	top, last := n.heap[0], len(n.heap)-1
	n.heap[0] = n.heap[last]
	n.heap = n.heap[:last]
	for i := 0; ; {
		least := i
		for _, down := range [...]int{2*i + 1, 2*i + 2} {
			if down < last && n.closer(down, least) {
				least = down
			}
		}
		if least == i {
			return top
		}
		n.heap[i], n.heap[least] = n.heap[least], n.heap[i]
		i = least
	}
}
