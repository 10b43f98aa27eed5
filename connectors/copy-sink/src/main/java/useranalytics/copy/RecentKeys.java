package useranalytics.copy;

import java.util.Collection;
import java.util.HashSet;
import java.util.Set;

/** The keys that were written last, at least 20,000; only a hint, because rows may have been deleted since. */
final class RecentKeys {
    private static final int GENERATION = 20_000;

    private Set<Object> newer = new HashSet<>();
    private Set<Object> older = new HashSet<>();

    boolean contains(Object key) {
        return newer.contains(key) || older.contains(key);
    }

    void add(Collection<Object> keys) {
        newer.addAll(keys);
        if (newer.size() >= GENERATION) {
            older = newer;
            newer = new HashSet<>();
        }
    }
}
