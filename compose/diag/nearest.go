package diag

import (
	"slices"
	"strings"
)

// Nearest returns the name of allowed that a reader most likely meant by got,
// or "" where none is close: an equal name in another case, or one at most a
// third of its length away in edits.
func Nearest(got string, allowed []string) string {
	best, distance := "", len(got)/3+1
	for _, name := range slices.Sorted(slices.Values(allowed)) {
		if strings.EqualFold(name, got) {
			return name
		}
		if d := editDistance(strings.ToLower(got), strings.ToLower(name)); d < distance {
			best, distance = name, d
		}
	}
	return best
}

// DidYouMean returns the hint for a wrong name: the nearest valid one, or all of
// them where none is near and they are few enough to read.
func DidYouMean(got string, allowed []string) string {
	const readable = 12
	names := slices.Compact(slices.Sorted(slices.Values(allowed)))
	if nearest := Nearest(got, names); nearest != "" {
		return `did you mean "` + nearest + `"?`
	}
	if len(names) == 0 || len(names) > readable {
		return ""
	}
	return "one of: " + strings.Join(names, ", ")
}

// editDistance counts the letters to add, drop, replace or swap with the next.
func editDistance(a, b string) int {
	var before []int // the row above row
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		next := make([]int, len(b)+1)
		next[0] = i + 1
		for j := range len(b) {
			cost := row[j]
			if a[i] != b[j] {
				cost = min(row[j], next[j], row[j+1]) + 1
			}
			if i > 0 && j > 0 && a[i] == b[j-1] && a[i-1] == b[j] {
				cost = min(cost, before[j-1]+1)
			}
			next[j+1] = cost
		}
		before, row = row, next
	}
	return row[len(b)]
}
