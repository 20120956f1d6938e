# Copyright (C) govsvc authors
#
# One report of a month from those of all nodes, as JSON:
#
#     jq -s -f availability.jq gw-bj-01.json gw-bj-02.json
#
# Minutes and requests are sums: a minute in which one node of two saw the
# platform down is half of what a cluster has in that minute.  So the
# availability is the mean of what the nodes saw, rounded down.  Outages stay
# those of nodes, each with its own; "outages" and "longest" of a platform are
# those of the node that saw most.

def sums: reduce .[] as $one ({};
    reduce ($one | to_entries[]) as $e (.; .[$e.key] += $e.value));

def availability:
    (.up + .idle) as $good | ($good + .down) as $all
    | if $all == 0 then null else ($good * 1000000 / $all | floor) / 10000 end;

if length == 0 then
    error("no report")
elif (map(.month) | unique | length) != 1 then
    error("reports of several months: \(map(.month) | unique | join(", "))")
elif (map(.node) | unique | length) != length then
    error("a node comes twice: \(map(.node) | join(", "))")
else
    {
        nodes: (map(.node) | sort),
        month: .[0].month,
        until: (map(.until) | min),
        complete: all(.[]; .complete),
        platforms: [ map(.platforms[]) | group_by(.platform)[]
            | (map(.minutes) | sums) as $minutes
            | {
                platform: .[0].platform,
                availability: ($minutes | availability),
                minutes: $minutes,
                requests: (map(.requests) | sums),
                outages: (map(.outages) | max),
                longest: (map(.longest) | max)
            } ],
        outages: ([ .[] | .node as $node | .outages[] | { node: $node } + . ]
            | sort_by([.platform, .since, .node]))
    }
end
