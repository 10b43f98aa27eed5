package useranalytics.copy;

import java.util.Collection;
import java.util.Objects;

/**
 * The keys that were written last, at least 20,000; only a hint, because rows may have been deleted since, and because
 * keys are told apart by their hash: objects that live so long would cost the garbage collector more than they save.
 */
final class RecentKeys {
    private static final int GENERATION = 20_000;
    private static final int SLOTS = 1 << 16;

    private int[] newer = new int[SLOTS];
    private int[] older = new int[SLOTS];
    private int size;

    boolean contains(Object key) {
        int hash = hash(key);
        return newer[slot(newer, hash)] == hash || older[slot(older, hash)] == hash;
    }

    void add(Collection<Object> keys) {
        for (Object key : keys) {
            int hash = hash(key);
            int slot = slot(newer, hash);
            if (newer[slot] != hash) {
                newer[slot] = hash;
                size++;
            }
            if (size >= GENERATION) {
                older = newer;
                newer = new int[SLOTS];
                size = 0;
            }
        }
    }

    /** Return where the hash is, or the free slot where it belongs; a table is never full. */
    private static int slot(int[] table, int hash) {
        int slot = hash & SLOTS - 1;
        while (table[slot] != 0 && table[slot] != hash) {
            slot = slot + 1 & SLOTS - 1;
        }
        return slot;
    }

    /** Return the key's hash, its bits mixed, as {@code HashMap} does; never 0, which marks a free slot. */
    private static int hash(Object key) {
        int hash = Objects.hashCode(key);
        hash ^= hash >>> 16;
        return hash == 0 ? 1 : hash;
    }
}
