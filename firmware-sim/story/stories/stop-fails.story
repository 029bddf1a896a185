# The service does not stop on its owner. It asks to be cut off; the other one does so and takes over.
config multiplier 15
start
expect reachable alpha within 5s
expect reachable bravo within 5s
run alpha arm
run bravo arm
expect owner alpha within 10s
expect standby bravo within 10s
expect linked within 10s
say a switchover whose stop fails
service alpha stop-fails
try alpha switchover web
expect fenced alpha within 10s
expect owner bravo within 10s
service alpha ok
expect standby alpha within 10s
expect linked within 10s
say an orderly leave whose stop fails
service bravo stop-fails
try bravo leave
expect owner alpha within 20s
expect fences 1 for 10ms
