// Loaded before a program (LD_PRELOAD), it makes the program's wall clock wrong: by as many microseconds as the file named by SKERRY_RIG_CLOCK says,
// eight bytes that another process may change at any time. The monotonic clock and all timers are left alone. libfaketime is not
// used because it moves absolute timers of the monotonic clock along with the wall clock: those of an event loop then never fire.
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include <cstdint>
#include <cstdlib>

namespace {

constexpr std::int64_t kSecond = 1'000'000;

const volatile std::int64_t* offset_us = nullptr;

[[gnu::constructor]] void map_offset() {
    const char* const path = std::getenv("SKERRY_RIG_CLOCK");
    const int file = path == nullptr ? -1 : ::open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0) return;
    void* const at = ::mmap(nullptr, sizeof(std::int64_t), PROT_READ, MAP_SHARED, file, 0);
    ::close(file);
    if (at != MAP_FAILED) offset_us = static_cast<const volatile std::int64_t*>(at);
}

// Of a wall clock.
void shift(timespec& time) {
    if (offset_us == nullptr) return;
    const std::int64_t offset = *offset_us;
    std::int64_t nanoseconds = time.tv_nsec + offset % kSecond * 1000;
    std::int64_t seconds = time.tv_sec + offset / kSecond;
    if (nanoseconds < 0) {
        nanoseconds += 1000 * kSecond;
        --seconds;
    } else if (nanoseconds >= 1000 * kSecond) {
        nanoseconds -= 1000 * kSecond;
        ++seconds;
    }
    time.tv_sec = seconds;
    time.tv_nsec = nanoseconds;
}

}  // namespace

extern "C" {

int clock_gettime(clockid_t clock, timespec* time) noexcept {
    const auto result = static_cast<int>(::syscall(SYS_clock_gettime, clock, time));
    if (result == 0 && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE || clock == CLOCK_TAI)) shift(*time);
    return result;
}

int gettimeofday(timeval* __restrict time, void* __restrict zone) noexcept {
    static_cast<void>(zone);  // nobody uses it any more
    timespec now{};
    if (clock_gettime(CLOCK_REALTIME, &now) != 0) return -1;
    time->tv_sec = now.tv_sec;
    time->tv_usec = now.tv_nsec / 1000;
    return 0;
}

time_t time(time_t* into) noexcept {
    timespec now{};
    if (clock_gettime(CLOCK_REALTIME, &now) != 0) return -1;
    if (into != nullptr) *into = now.tv_sec;
    return now.tv_sec;
}

}
