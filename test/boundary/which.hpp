// A template of one name that two libraries instantiate alike and that means something else in
// each.
#pragma once

template <class T> [[gnu::noinline]] inline int which(T) {
	return BOUNDARY_WHICH;
}
