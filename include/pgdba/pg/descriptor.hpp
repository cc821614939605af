// A file descriptor that closes itself.
#pragma once

#include <utility>

#include <unistd.h>

namespace pgdba::pg {

class Descriptor {
public:
	Descriptor() noexcept = default;
	explicit Descriptor(int fd) noexcept : fd_(fd) {}
	Descriptor(Descriptor &&other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
	Descriptor &operator=(Descriptor &&other) noexcept {
		std::swap(fd_, other.fd_);
		return *this;
	}
	~Descriptor() {
		if (fd_ >= 0)
			close(fd_);
	}

	int get() const noexcept { return fd_; }
	bool valid() const noexcept { return fd_ >= 0; }

private:
	int fd_ = -1;
};

} // namespace pgdba::pg
