# The addresses stand in front of the service. If that does not start, or is told to stop in the middle of it, they come off
# again at once, and the other node may have them.
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
sleep 1s
say Alpha dies, and the service does not start on bravo, which had the addresses already
service bravo start-fails
power-off alpha
expect address bravo within 10s
expect told bravo start-failed within 10s
expect no-address within 1s
expect no-address for 1s
expect no-owner for 100ms
expect fences 1 for 10ms
expect alarm bravo failed within 5s
say Alpha is back and takes it
power-on alpha
expect owner alpha within 20s
expect address alpha within 1s
expect believed alpha for 300ms
expect linked within 20s
say Mended and cleared
service bravo ok
run bravo clear
expect standby bravo within 10s
expect no-alarm bravo failed within 10s
say A switchover to a node on which the service does not start: it comes back with its addresses
service bravo start-fails
try alpha switchover web
expect told bravo start-failed within 10s
expect owner alpha within 10s
expect address alpha within 1s
expect believed alpha for 300ms
expect fences 0 for 10ms
never two-owners
