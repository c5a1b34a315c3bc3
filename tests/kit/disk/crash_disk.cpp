// Power loss and the public face of the crash disk. See crash_disk.hpp for the model.

#include "crash_disk.hpp"

#include <sqlite3.h>

#include <cstdio>
#include <cstdlib>

#include "crash_disk_state.hpp"

namespace skerry::kit::disk {

void require(bool holds, const char* message) {
    if (holds) return;
    std::fprintf(stderr, "crash disk: %s\n", message);
    std::abort();
}

// --- Power loss ------------------------------------------------------------------------------

// All that is pending, in the order of the calls, writes cut at sector boundaries.
std::vector<Piece> State::pending_pieces(const std::map<uint64_t, InodePtr>& inodes) const {
    std::vector<Piece> pieces;
    for (const auto& [id, inode] : inodes) {
        for (const Change& c : inode->pending) {
            if (c.truncates) {
                pieces.push_back({.order = c.order, .inode = inode.get(), .change = &c});
                continue;
            }
            const size_t end = c.offset + c.bytes.size();
            for (size_t at = c.offset; at < end;) {
                const size_t next = std::min(end, (at / kSectorBytes + 1) * kSectorBytes);
                pieces.push_back({.order = c.order,
                                  .inode = inode.get(),
                                  .change = &c,
                                  .begin = at,
                                  .end = next});
                at = next;
            }
        }
    }
    for (const NameChange& c : name_changes) {
        pieces.push_back({.order = c.order, .inode = c.inode.get(), .entry = &c});
    }
    // Only the sectors of one write share an order; they lie one behind the other.
    std::sort(pieces.begin(), pieces.end(), [](const Piece& a, const Piece& b) {
        return a.order != b.order ? a.order < b.order : a.begin < b.begin;
    });
    return pieces;
}

void State::choose_fates(std::vector<Piece>& pieces, Loss loss) {
    using Fate = Piece::Fate;
    if (loss == Loss::kPowerPrefix) {
        const uint64_t kept = loss_random.below(pieces.size() + 1);
        for (uint64_t i = 0; i < kept; ++i) pieces[i].fate = Fate::kKept;
        return;
    }
    if (loss != Loss::kPowerRandom && loss != Loss::kPowerTorn) {
        const Fate fate = loss == Loss::kPowerAll ? Fate::kKept : Fate::kDropped;
        for (Piece& p : pieces) p.fate = fate;
        return;
    }
    // Each file draws how likely its sectors survive. With one coin for all, "the whole database
    // file and nothing of the log" would never come up, and that is where write ordering breaks.
    std::map<uint64_t, uint64_t> odds;
    for (Piece& p : pieces) {
        const auto [it, fresh] = odds.try_emplace(p.inode->id, 0);
        if (fresh) it->second = loss_random.below(5) * 64;
        if (p.entry == nullptr && loss_random.chance(it->second)) p.fate = Fate::kKept;
        if (p.fate == Fate::kDropped && p.is_write() && loss == Loss::kPowerTorn &&
            loss_random.chance(96)) {
            p.fate = Fate::kGarbage;
        }
    }
    // A journalling file system keeps changes of names in order; a hostile one keeps any of them.
    bool journal_holds = true;
    for (Piece& p : pieces) {
        if (p.entry == nullptr) continue;
        const bool kept = loss_random.chance(options.unlink == Unlink::kAnySync ? 192 : 128);
        if (options.unlink == Unlink::kAnySync) journal_holds = journal_holds && kept;
        const bool stays = options.unlink == Unlink::kAnySync ? journal_holds : kept;
        p.fate = stays ? Fate::kKept : Fate::kDropped;
    }
    // Writes reach the platter in any order, so an older sector may land on a younger one. Not
    // past a truncate: the size of a file is metadata and keeps its place.
    for (size_t begin = 0; begin < pieces.size();) {
        size_t end = begin;
        while (end < pieces.size() && pieces[end].is_write()) ++end;
        for (size_t i = end; i > begin + 1; --i) {
            std::swap(pieces[i - 1], pieces[begin + loss_random.below(i - begin)]);
        }
        begin = std::max(end, begin + 1);
    }
}

void State::apply_piece(const Piece& p) {
    if (p.fate == Piece::Fate::kDropped) return;
    if (p.entry != nullptr) {
        apply_to(durable_directory, *p.entry);
        return;
    }
    std::string& image = p.inode->durable;
    if (p.change->truncates) {
        apply_to(image, *p.change);
        return;
    }
    if (p.fate == Piece::Fate::kKept) {
        put_bytes(
            image, p.begin,
            std::string_view(p.change->bytes).substr(p.begin - p.change->offset, p.end - p.begin));
        return;
    }
    size_t begin = p.begin;
    size_t end = p.end;
    if (!options.powersafe_overwrite) {
        begin -= begin % kSectorBytes;
        const size_t sector_end = begin + kSectorBytes;
        end = std::max(end, std::min(sector_end, image.size()));
    }
    // Zeros are the more dangerous garbage: checksums of zeros and empty headers look plausible.
    std::string garbage(end - begin, '\0');
    if (!loss_random.chance(64)) loss_random.fill(garbage.data(), garbage.size());
    put_bytes(image, begin, garbage);
}

void State::lose_power(Loss loss) {
    const std::map<uint64_t, InodePtr> inodes = reachable_inodes();
    std::vector<Piece> pieces = pending_pieces(inodes);
    choose_fates(pieces, loss);
    for (const Piece& p : pieces) apply_piece(p);
    for (const auto& [id, inode] : inodes) {
        inode->current = inode->durable;
        inode->pending.clear();
    }
    name_changes.clear();
    directory = durable_directory;
}

void State::restart(Loss loss) {
    require(open_handles == 0, "restart while connections are open");
    if (loss == Loss::kKillTorn && interrupted) {
        // SIGKILL ends write(2) between pages of the page cache. Cut at sectors, which is finer.
        Change made = std::move(interrupted->change);
        const size_t end = made.offset + made.bytes.size();
        const size_t first = made.offset / kSectorBytes;
        const size_t sectors = (end + kSectorBytes - 1) / kSectorBytes - first;
        const size_t cut = (first + loss_random.below(sectors + 1)) * kSectorBytes;
        made.bytes.resize(std::min(end, std::max(cut, made.offset)) - made.offset);
        if (!made.bytes.empty()) change(*interrupted->inode, std::move(made));
    }
    if (loss != Loss::kKill && loss != Loss::kKillTorn) lose_power(loss);
    interrupted.reset();
    crash_in = 0;
    down = false;
}

}  // namespace skerry::kit::disk

namespace skerry::kit {

using disk::require;

std::string_view to_string(Loss loss) {
    switch (loss) {
        case Loss::kKill:
            return "kill";
        case Loss::kKillTorn:
            return "kill-torn";
        case Loss::kPowerNothing:
            return "power-nothing";
        case Loss::kPowerAll:
            return "power-all";
        case Loss::kPowerPrefix:
            return "power-prefix";
        case Loss::kPowerRandom:
            return "power-random";
        case Loss::kPowerTorn:
            return "power-torn";
    }
    return "?";
}

// --- Public face -----------------------------------------------------------------------------

CrashDisk::CrashDisk(std::string name, uint64_t seed, std::function<int64_t()> now_unix_ms,
                     Options options)
    : state_(
          std::make_unique<disk::State>(std::move(name), seed, std::move(now_unix_ms), options)) {
    require(sqlite3_initialize() == SQLITE_OK, "SQLite does not start");
    require(sqlite3_vfs_find(state_->name.c_str()) == nullptr, "the VFS name is taken");
    state_->register_vfs();
}

CrashDisk::CrashDisk(std::string name, uint64_t seed, std::function<int64_t()> now_unix_ms)
    : CrashDisk(std::move(name), seed, std::move(now_unix_ms), Options{}) {}

CrashDisk::~CrashDisk() {
    require(state_->open_handles == 0, "destroyed while connections are open");
    require(sqlite3_vfs_find(("multipleciphers-" + state_->name).c_str()) == nullptr,
            "destroyed below an encrypting VFS; call sqlite3mc_vfs_destroy first");
    sqlite3_vfs_unregister(&state_->vfs);
}

const std::string& CrashDisk::vfs_name() const {
    return state_->name;
}

void CrashDisk::seed_sqlite_randomness() {
    state_->sqlite_random = disk::Random(state_->seed ^ 0x736565);
    sqlite3_vfs* before = sqlite3_vfs_find(nullptr);
    sqlite3_vfs_register(&state_->vfs, 1);
    sqlite3_randomness(0, nullptr);  // forget the old state
    unsigned char drawn = 0;
    sqlite3_randomness(1, &drawn);  // seeds anew, from the default VFS
    if (before != nullptr) sqlite3_vfs_register(before, 1);
}

uint64_t CrashDisk::changing_calls() const {
    return state_->changing_calls;
}
const CrashDisk::Counters& CrashDisk::counters() const {
    return state_->counters;
}
void CrashDisk::crash_at(uint64_t nth) {
    state_->crash_in = nth;
}
void CrashDisk::watch(std::function<void()> before_change) {
    state_->before_change = std::move(before_change);
}
void CrashDisk::crash_now() {
    state_->down = true;
}
bool CrashDisk::is_down() const {
    return state_->down;
}
void CrashDisk::restart(Loss loss) {
    state_->restart(loss);
}
uint64_t CrashDisk::open_handles() const {
    return state_->open_handles;
}

uint64_t CrashDisk::pending_changes() const {
    uint64_t count = state_->name_changes.size();
    for (const auto& [id, inode] : state_->reachable_inodes()) count += inode->pending.size();
    return count;
}

void CrashDisk::inject(FaultPlan plan) {
    state_->faults[static_cast<size_t>(plan.fault)] = {plan.skip, plan.count};
    state_->faulty = true;
}
void CrashDisk::clear_faults() {
    state_->faults = {};
    state_->faulty = false;
}
bool CrashDisk::has_faults() const {
    return state_->faulty;
}
void CrashDisk::set_capacity(uint64_t bytes_max) {
    state_->capacity = bytes_max;
}
bool CrashDisk::has_limit() const {
    return state_->capacity != UINT64_MAX;
}
void CrashDisk::remount(Mount mount) {
    state_->mount = mount;
}
void CrashDisk::set_syncs(Syncs syncs) {
    state_->syncs = syncs;
}

bool CrashDisk::corrupt(std::string_view name, uint64_t offset, uint8_t mask) {
    const auto it = state_->directory.find(name);
    if (it == state_->directory.end() || offset >= it->second->current.size()) return false;
    // Both images: a power loss does not heal a bad sector.
    const auto rot = [offset, mask](std::string& image) {
        if (offset < image.size()) image[offset] = static_cast<char>(image[offset] ^ mask);
    };
    rot(it->second->current);
    rot(it->second->durable);
    return true;
}

std::vector<std::string> CrashDisk::files() const {
    std::vector<std::string> names;
    for (const auto& [name, inode] : state_->directory) names.push_back(name);
    return names;
}

bool CrashDisk::exists(std::string_view name) const {
    return state_->find(name) != nullptr;
}

std::string_view CrashDisk::bytes(std::string_view name) const {
    const disk::Inode* inode = state_->find(name);
    return inode == nullptr ? std::string_view{} : std::string_view(inode->current);
}

uint64_t CrashDisk::total_bytes() const {
    return state_->total_bytes();
}

std::vector<std::string> CrashDisk::files_containing(std::string_view needle) const {
    std::vector<std::string> names;
    for (const auto& [name, inode] : state_->directory) {
        if (inode->current.find(needle) != std::string::npos) names.push_back(name);
    }
    return names;
}

uint64_t CrashDisk::fingerprint() const {
    uint64_t hash = 0xcbf29ce484222325;  // FNV-1a
    const auto mix = [&hash](std::string_view bytes) {
        for (const char c : bytes) {
            hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
        }
        hash = (hash ^ bytes.size()) * 0x100000001b3;
    };
    for (const auto& [name, inode] : state_->directory) mix(name), mix(inode->current);
    for (const auto& [name, inode] : state_->durable_directory) mix(name), mix(inode->durable);
    return (hash ^ state_->changing_calls) * 0x100000001b3;
}

bool CrashDisk::export_file(std::string_view name, const std::string& host_path) const {
    const disk::Inode* inode = state_->find(name);
    if (inode == nullptr) return false;
    std::FILE* out = std::fopen(host_path.c_str(), "wb");
    if (out == nullptr) return false;
    const std::size_t written = std::fwrite(inode->current.data(), 1, inode->current.size(), out);
    return std::fclose(out) == 0 && written == inode->current.size();
}

void CrashDisk::import_file(std::string_view name, std::string_view bytes) {
    const disk::Inode* old = state_->find(name);
    require(old == nullptr || old->handles.empty(), "import over an open file");
    // A pending change of this name must not undo the import at a power loss.
    std::erase_if(state_->name_changes, [name](const auto& c) { return c.name == name; });
    disk::InodePtr inode = state_->new_inode();
    inode->current = bytes;
    inode->durable = bytes;
    state_->directory[std::string(name)] = inode;
    state_->durable_directory[std::string(name)] = inode;
}

void CrashDisk::clone_from(const CrashDisk& other) {
    require(state_->open_handles == 0, "clone onto a disk in use");
    require(&other != this, "clone of itself");
    state_->directory.clear();
    state_->durable_directory.clear();
    state_->name_changes.clear();
    for (const auto& [name, inode] : other.state_->directory) import_file(name, inode->current);
}

void CrashDisk::fork_from(const CrashDisk& other, uint64_t loss_seed) {
    require(state_->open_handles == 0, "fork onto a disk in use");
    require(&other != this, "fork of itself");
    std::map<uint64_t, disk::InodePtr> twins;
    for (const auto& [id, inode] : other.state_->reachable_inodes()) {
        auto twin = std::make_shared<disk::Inode>();
        twin->id = id;
        twin->current = inode->current;
        twin->durable = inode->durable;
        twin->pending = inode->pending;
        twins.emplace(id, std::move(twin));
    }
    const auto copy = [&twins](const disk::Directory& from, disk::Directory& to) {
        to.clear();
        for (const auto& [name, inode] : from) to.emplace(name, twins.at(inode->id));
    };
    copy(other.state_->directory, state_->directory);
    copy(other.state_->durable_directory, state_->durable_directory);
    state_->name_changes = other.state_->name_changes;
    for (disk::NameChange& change : state_->name_changes) change.inode = twins.at(change.inode->id);
    state_->next_inode = other.state_->next_inode;
    state_->next_order = other.state_->next_order;
    state_->loss_random = disk::Random(loss_seed);
    state_->interrupted.reset();
    state_->down = false;
}

}  // namespace skerry::kit
