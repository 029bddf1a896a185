# Whatever joined a peer to the network again may have forgotten where the addresses are: everybody is told anew when it is
# back. Between the announcements after the start and the next one lies a minute.
config multiplier 15
start
expect reachable alpha within 20s
expect reachable bravo within 20s
run alpha arm
run bravo arm
expect owner alpha within 20s
expect address alpha within 1s
expect standby bravo within 20s
expect linked within 20s
sleep 8s
kill-daemon bravo hold
expect silent bravo within 10s
start bravo
expect announced alpha within 10s
expect linked within 20s
expect owner alpha for 100ms
never two-owners
