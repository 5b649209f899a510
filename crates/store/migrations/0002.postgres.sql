-- What a plugin keeps belongs to a generation of it: see src/plugins.rs.
ALTER TABLE plugin_kv RENAME TO plugin_kv_old;
CREATE TABLE plugin_kv(
    plugin TEXT COLLATE "C" NOT NULL,
    generation BIGINT NOT NULL,
    key TEXT COLLATE "C" NOT NULL,
    value BYTEA NOT NULL,
    PRIMARY KEY(plugin, generation, key)
);
INSERT INTO plugin_kv(plugin, generation, key, value) SELECT plugin, 0, key, value FROM plugin_kv_old;
DROP TABLE plugin_kv_old;

ALTER TABLE plugin_kv_usage RENAME TO plugin_kv_usage_old;
CREATE TABLE plugin_kv_usage(
    plugin TEXT COLLATE "C" NOT NULL,
    generation BIGINT NOT NULL,
    bytes BIGINT NOT NULL,
    PRIMARY KEY(plugin, generation)
);
INSERT INTO plugin_kv_usage(plugin, generation, bytes) SELECT plugin, 0, bytes FROM plugin_kv_usage_old;
DROP TABLE plugin_kv_usage_old;

CREATE TABLE plugin_artifact(
    digest TEXT COLLATE "C" PRIMARY KEY,
    bytes BYTEA NOT NULL,
    -- JSON list of the sigstore bundles that came with it.
    signatures TEXT COLLATE "C" NOT NULL
);

CREATE TABLE plugin_switch(
    plugin TEXT COLLATE "C" PRIMARY KEY,
    is_on BIGINT NOT NULL,
    decided_by TEXT COLLATE "C" NOT NULL
);

CREATE TABLE plugin_generation(
    plugin TEXT COLLATE "C" NOT NULL,
    generation BIGINT NOT NULL,
    state TEXT COLLATE "C" NOT NULL,
    wish TEXT COLLATE "C" NOT NULL,
    source TEXT COLLATE "C" NOT NULL,
    version TEXT COLLATE "C" NOT NULL,
    digest TEXT COLLATE "C" NOT NULL,
    rights TEXT COLLATE "C" NOT NULL,
    limits TEXT COLLATE "C" NOT NULL,
    kv BIGINT NOT NULL,
    decided_by TEXT COLLATE "C" NOT NULL,
    decided_at BIGINT NOT NULL,
    reason TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY(plugin, generation)
);

CREATE TABLE plugin_replica(
    replica TEXT COLLATE "C" NOT NULL,
    plugin TEXT COLLATE "C" NOT NULL,
    generation BIGINT NOT NULL,
    state TEXT COLLATE "C" NOT NULL,
    reason TEXT COLLATE "C" NOT NULL,
    seen_at BIGINT NOT NULL,
    PRIMARY KEY(replica, plugin)
);
