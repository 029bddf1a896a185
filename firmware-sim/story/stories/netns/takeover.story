# The service address goes with the service: in a takeover after a loss of power, after a hang, and in a planned move. The
# client asks the address only, and its neighbour table moves because the new owner says where the address is.
start
expect reachable alpha within 20s
expect reachable bravo within 20s
expect no-address for 50ms
run alpha arm
run bravo arm
expect owner alpha within 20s
expect address alpha within 1s
expect believed alpha within 1s
expect standby bravo within 20s
expect linked within 20s
say Alpha loses its mains
power-off alpha
expect fenced alpha within 20s
expect owner bravo within 20s
expect address bravo within 1s
expect believed bravo for 300ms
expect dark alpha within 5s
say Alpha boots with no address but its own
power-on alpha
expect standby alpha within 20s
expect linked within 20s
expect address bravo for 300ms
expect believed bravo for 100ms
say A person moves the service back
run bravo failback web
expect owner alpha within 20s
expect address alpha within 1s
expect believed alpha for 300ms
expect standby bravo within 20s
say Alpha hangs: its kernel goes on answering for the address until the relay has cut it
freeze alpha
expect address alpha within 50ms
expect fenced alpha within 20s
expect owner bravo within 20s
expect address bravo within 1s
expect believed bravo for 300ms
expect standby alpha within 20s
expect linked within 20s
say Bravo boots anew without losing its power, and its address goes with its old life
reset bravo
expect owner alpha within 20s
expect address alpha within 1s
expect believed alpha for 300ms
never two-owners
