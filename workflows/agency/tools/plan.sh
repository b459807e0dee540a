#!/bin/sh
# Reads {"service": …, "days": …} on one line and prints {"steps": [ … ]}. The values are words and
# numbers of the agents before; anything else gives the shortest plan.
input=$(cat)
service=$(printf '%s\n' "$input" | sed -n 's/.*"service":"\([a-z-]*\)".*/\1/p')
days=$(printf '%s\n' "$input" | sed -n 's/.*"days":\([0-9]*\).*/\1/p')
case $service in
strategy-call)
	echo '{"steps":["Questions by mail two days before","Call of 60 minutes","Notes and next three moves within a day"]}'
	;;
consulting)
	if [ "${days:-1}" -ge 5 ]; then
		echo '{"steps":["Kick-off and access","Interviews","Audit of site, content and numbers","Roadmap for two quarters","Workshop with the team","Review after 30 days"]}'
	elif [ "${days:-1}" -ge 3 ]; then
		echo '{"steps":["Kick-off and access","Audit of site, content and numbers","Roadmap for one quarter","Review after 30 days"]}'
	else
		echo '{"steps":["Kick-off and access","Audit of one question","Report of five pages"]}'
	fi
	;;
*)
	echo '{"steps":["Call to find out what is needed"]}'
	;;
esac
