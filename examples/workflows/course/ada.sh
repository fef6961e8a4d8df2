# The sum of the numbers on standard input.
sum=0
while read -r n; do
	sum=$((sum + n))
done
echo $sum
